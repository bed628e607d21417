# The secret that CloudFront shows the API with every request. Each rotation has one of its own, drawn once; the API
# accepts the present one and the one before it, so edges that still show the old one are served.
#
# The order of a rotation is the graph's: the function gets its secrets from here, the API's host name waits for the
# function's alias, and the distribution needs the host name. So the API accepts a secret before CloudFront shows it.

locals {
  origin_secret_header = "x-origin-secret"
  rotations            = [for ago in [0, 1] : tostring(var.origin_secret_rotation - ago)]
  drawn                = toset([for rotation in range(var.origin_secret_rotation + 1) : tostring(rotation)])
  origin_secret        = sensitive(terraform_data.origin_secret[local.rotations[0]].output)
}

# A new password with every plan; terraform_data keeps the first. It keeps those of past rotations, too: a plan that
# removed one would show its `output` in clear, on the pull request, while the API still accepts it.
data "aws_secretsmanager_random_password" "origin_secret" {
  for_each = local.drawn

  password_length     = 48
  exclude_punctuation = true
}

resource "terraform_data" "origin_secret" {
  for_each = local.drawn

  input = sensitive(data.aws_secretsmanager_random_password.origin_secret[each.key].random_password)

  lifecycle {
    ignore_changes = [input]
  }
}
