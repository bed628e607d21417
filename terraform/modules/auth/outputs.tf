output "issuer" {
  description = "Issuer that tokens must name (`iss`)."
  value       = local.cognito ? "https://cognito-idp.${local.region}.amazonaws.com/${aws_cognito_user_pool.this[0].id}" : var.issuer.url
}

output "audiences" {
  description = "What tokens must be meant for: `aud`, or, as Cognito's access tokens have none, `client_id`."
  value       = local.cognito ? [for name in sort(keys(local.clients)) : aws_cognito_user_pool_client.machine[name].id] : var.issuer.audiences
}

output "jwks_url" {
  description = "Where the issuer's public keys are."
  value = local.cognito ? "https://cognito-idp.${local.region}.amazonaws.com/${aws_cognito_user_pool.this[0].id}/.well-known/jwks.json" : coalesce(
    var.issuer.jwks_url, "${trimsuffix(var.issuer.url, "/")}/.well-known/jwks.json"
  )
}

output "token_url" {
  description = "Where a machine gets its token; null if your own issuer's is not known."
  value       = local.cognito ? "https://${aws_cognito_user_pool_domain.this[0].domain}.auth.${local.region}.amazoncognito.com/oauth2/token" : var.issuer.token_url
}

output "scope_prefix" {
  description = "What stands before each scope in a token: Cognito puts its resource server there; of another issuer it is `scope_prefix`."
  value       = local.cognito ? "${var.resource_server}/" : var.issuer.scope_prefix
}

output "client_ids" {
  description = "Cognito's client of each machine, by name. Read its secret with `aws cognito-idp describe-user-pool-client`."
  value       = { for name, client in aws_cognito_user_pool_client.machine : name => client.id }
}

output "user_pool_id" {
  description = "The user pool; null with an issuer of your own."
  value       = one(aws_cognito_user_pool.this[*].id)
}
