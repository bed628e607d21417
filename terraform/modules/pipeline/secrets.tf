# Secret settings: a JSON object per function, of settings by their names, read when it starts.
# Values are written, never read back, and are in no function's environment.

locals {
  secret_arns = {
    api           = [for name in ["api", "edge"] : aws_secretsmanager_secret.settings[name].arn if name == "api" || var.api_secret_settings_version > 0]
    notifications = [aws_secretsmanager_secret.settings["notifications"].arn]
  }

  read_secret = { for name, arns in local.secret_arns : name => [
    {
      Sid       = "ReadItsSecretSettings"
      Effect    = "Allow"
      Action    = ["secretsmanager:GetSecretValue"]
      Resource  = arns
      Condition = null
    },
    {
      Sid       = "SecretsAreEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [module.keys.arns.secrets]
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.scope.region}.amazonaws.com" } }
    },
  ] }
}

resource "aws_secretsmanager_secret" "settings" {
  # checkov:skip=CKV2_AWS_57: raising a version draws a new value here; a webhook's secret changes with its receiver, who has to be told
  for_each = merge(
    {
      api           = "The API: cursor_secret signs the cursors of lists"
      notifications = "Notifications: notify_webhooks says who is notified, and holds their secrets"
    },
    var.api_secret_settings_version == 0 ? {} : { edge = "The API: what it and its front share" },
  )

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = module.keys.arns.secrets
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

# A new password with every run; only when the version is raised, it is written. The state holds the
# last one drawn, which is the one in use until the next run. An ephemeral resource would leave no
# trace at all, but Terraform before 1.16 can't test a configuration that has one.
data "aws_secretsmanager_random_password" "cursor" {
  count = var.cursor_secret_version == 0 ? 0 : 1

  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "api" {
  count = var.cursor_secret_version == 0 ? 0 : 1

  secret_id                = aws_secretsmanager_secret.settings["api"].id
  secret_string_wo         = jsonencode({ cursor_secret = sensitive(data.aws_secretsmanager_random_password.cursor[0].random_password) })
  secret_string_wo_version = var.cursor_secret_version
}

# Where nobody is notified by webhook. An operator puts the real list in its place.
resource "aws_secretsmanager_secret_version" "notifications" {
  secret_id                = aws_secretsmanager_secret.settings["notifications"].id
  secret_string_wo         = jsonencode({ notify_webhooks = "[]" })
  secret_string_wo_version = 1
}

resource "aws_secretsmanager_secret_version" "edge" {
  count = var.api_secret_settings_version == 0 ? 0 : 1

  secret_id                = aws_secretsmanager_secret.settings["edge"].id
  secret_string_wo         = jsonencode(var.api_secret_settings)
  secret_string_wo_version = var.api_secret_settings_version
}
