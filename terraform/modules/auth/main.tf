# Who may call the API: machines with a token of an OpenID Connect issuer. By default that is a Cognito user pool made
# here, which nobody can sign up to; any other issuer can be named instead, and then nothing is made.

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  cognito = var.issuer == null
  clients = local.cognito ? var.clients : {}
  region  = data.aws_region.current.id
  prefix  = coalesce(var.domain_prefix, "${var.name}-${data.aws_caller_identity.current.account_id}")

  scopes = {
    "inventory:read" = "Read stock, orders and events"
    "orders:write"   = "Place, ship and cancel orders"
    "stock:write"    = "Receive, adjust and return stock, and set policies"
    "admin"          = "Operate the service"
  }
}

resource "aws_cognito_user_pool" "this" {
  count = local.cognito ? 1 : 0

  name                = var.name
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = "ON"

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  software_token_mfa_configuration {
    enabled = true
  }

  password_policy {
    minimum_length                   = 16
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 1
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  count = local.cognito ? 1 : 0

  domain       = local.prefix
  user_pool_id = aws_cognito_user_pool.this[0].id
}

resource "aws_cognito_resource_server" "this" {
  count = local.cognito ? 1 : 0

  identifier   = var.resource_server
  name         = "${var.name} API"
  user_pool_id = aws_cognito_user_pool.this[0].id

  dynamic "scope" {
    for_each = local.scopes

    content {
      scope_name        = scope.key
      scope_description = scope.value
    }
  }
}

resource "aws_cognito_user_pool_client" "machine" {
  for_each = local.clients

  name            = "${var.name}-${each.key}"
  user_pool_id    = aws_cognito_user_pool.this[0].id
  generate_secret = true

  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = [for scope in sort(each.value) : "${aws_cognito_resource_server.this[0].identifier}/${scope}"]
  explicit_auth_flows                  = []
  supported_identity_providers         = []

  access_token_validity         = 60
  enable_token_revocation       = true
  prevent_user_existence_errors = "ENABLED"

  token_validity_units {
    access_token = "minutes"
  }
}
