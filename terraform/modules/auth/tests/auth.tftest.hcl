mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "ap-southeast-4" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_resource "aws_cognito_user_pool" {
    defaults = { id = "ap-southeast-4_AbCdEfGhI" }
  }
}

variables {
  name = "ledger-test"
}

run "a_user_pool_nobody_can_sign_up_to" {
  command = apply

  assert {
    condition     = one(aws_cognito_user_pool.this[0].admin_create_user_config).allow_admin_create_user_only
    error_message = "no sign-up"
  }
  assert {
    condition     = aws_cognito_user_pool.this[0].mfa_configuration == "ON" && aws_cognito_user_pool.this[0].deletion_protection == "ACTIVE"
    error_message = "whoever is added needs a second factor; the pool is not deleted by accident"
  }
  assert {
    condition     = toset([for scope in aws_cognito_resource_server.this[0].scope : scope.scope_name]) == toset(["inventory:read", "orders:write", "stock:write", "admin"])
    error_message = "the four scopes"
  }
  assert {
    condition     = output.issuer == "https://cognito-idp.ap-southeast-4.amazonaws.com/ap-southeast-4_AbCdEfGhI"
    error_message = "the issuer is the pool"
  }
  assert {
    condition     = output.jwks_url == "${output.issuer}/.well-known/jwks.json" && output.scope_prefix == "ledger/"
    error_message = "keys and scopes as Cognito has them"
  }
  assert {
    condition     = output.token_url == "https://ledger-test-111122223333.auth.ap-southeast-4.amazoncognito.com/oauth2/token"
    error_message = "tokens come from the pool's domain"
  }
  assert {
    condition     = output.audiences == [aws_cognito_user_pool_client.machine["default"].id]
    error_message = "tokens name their client"
  }
}

run "machines_have_their_scopes_and_nothing_else" {
  command = apply

  variables {
    clients = {
      shop      = ["orders:write", "inventory:read"]
      warehouse = ["stock:write"]
    }
  }

  assert {
    condition = alltrue([
      for client in aws_cognito_user_pool_client.machine :
      client.generate_secret && client.allowed_oauth_flows == toset(["client_credentials"]) && length(client.explicit_auth_flows) == 0
    ])
    error_message = "client credentials are the only way in"
  }
  assert {
    condition     = toset(aws_cognito_user_pool_client.machine["shop"].allowed_oauth_scopes) == toset(["ledger/inventory:read", "ledger/orders:write"])
    error_message = "the shop's scopes"
  }
  assert {
    condition     = toset(aws_cognito_user_pool_client.machine["warehouse"].allowed_oauth_scopes) == toset(["ledger/stock:write"])
    error_message = "the warehouse's scope"
  }
  assert {
    condition     = toset(keys(output.client_ids)) == toset(["shop", "warehouse"]) && length(output.audiences) == 2
    error_message = "each machine is an audience"
  }
}

run "an_issuer_of_your_own" {
  command = apply

  variables {
    issuer = {
      url       = "https://id.example.com/"
      audiences = ["inventory"]
      token_url = "https://id.example.com/token"
    }
  }

  assert {
    condition     = length(aws_cognito_user_pool.this) == 0 && length(aws_cognito_user_pool_client.machine) == 0 && length(aws_cognito_user_pool_domain.this) == 0
    error_message = "nothing is made"
  }
  assert {
    condition     = output.issuer == "https://id.example.com/" && output.audiences == tolist(["inventory"]) && output.token_url == "https://id.example.com/token"
    error_message = "it is passed on"
  }
  assert {
    condition     = output.jwks_url == "https://id.example.com/.well-known/jwks.json" && output.scope_prefix == ""
    error_message = "its keys are at the usual place, its scopes are bare"
  }
}

run "an_issuer_that_names_the_api_in_scopes" {
  command = plan

  variables {
    issuer = { url = "https://id.example.com/", audiences = ["inventory"], scope_prefix = "ledger:" }
  }

  assert {
    condition     = output.scope_prefix == "ledger:"
    error_message = "its prefix is passed on"
  }
}

run "an_issuer_without_tls" {
  command = plan

  variables {
    issuer = { url = "http://id.example.com", audiences = ["inventory"] }
  }

  expect_failures = [var.issuer]
}

run "a_scope_that_is_none" {
  command = plan

  variables {
    clients = { shop = ["orders:delete"] }
  }

  expect_failures = [var.clients]
}
