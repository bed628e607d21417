# Development: everything there is, small, without a replica or a domain, and easy to throw away.

module "network" {
  source = "../../modules/network"

  name               = var.name
  az_count           = 2
  nat_gateways       = "single"
  logs_kms_key_arn   = module.pipeline.key_arns.logs
  log_retention_days = 14
}

module "pipeline" {
  source = "../../modules/pipeline"

  name         = var.name
  package      = { image_uri = var.image_uri, zip_file = var.zip_file, runtime = var.runtime }
  architecture = var.architecture
  network      = { subnet_ids = module.network.private_subnet_ids, security_group_ids = [module.network.function_security_group_id] }
  locations    = var.locations
  auto_lanes   = var.auto_lanes
  environment  = var.environment

  delivery        = var.delivery
  inbox           = true
  notify_webhooks = var.notify_webhooks

  deletion_protection      = false
  backup_days              = null
  archive_days             = 7
  log_retention_days       = 14
  key_deletion_window_days = 7

  alarm_emails       = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
  api_gateway        = { exists = true, id = module.api_gateway.api_id }

  # Nothing is reserved here: a young account has too little concurrency to set any aside.
  api = { environment = local.api_environment }

  api_secret_settings         = { origin_secrets = join(",", module.edge.origin_secrets) }
  api_secret_settings_version = local.origin_secret_rotation
}

locals {
  origin_secret_rotation = 1

  api_environment = {
    LEDGER_RATE_LIMIT   = var.rate_limit
    LEDGER_AUTH         = "jwt"
    LEDGER_JWT_ISSUER   = module.auth.issuer
    LEDGER_JWT_AUDIENCE = join(",", module.auth.audiences)
    LEDGER_JWT_JWKS     = local.emulated ? "${var.emulator_url}/${module.auth.user_pool_id}/.well-known/jwks.json" : module.auth.jwks_url

    LEDGER_JWT_SCOPE_PREFIX = module.auth.scope_prefix
  }
}

module "auth" {
  source = "../../modules/auth"

  name                = var.name
  deletion_protection = false
}

module "api_gateway" {
  source = "../../modules/api_gateway"

  name               = var.name
  function           = { name = module.pipeline.api.name, alias = module.pipeline.api.alias_name, invoke_arn = module.pipeline.api.alias_invoke_arn }
  issuer             = module.auth.issuer
  audiences          = module.auth.audiences
  throttle           = { rate = 50, burst = 100 }
  logs_kms_key_arn   = module.pipeline.key_arns.logs
  log_retention_days = 14
}

module "edge" {
  source    = "../../modules/edge"
  providers = { aws = aws.us_east_1 }

  name                    = var.name
  api_origin_domain_name  = module.api_gateway.origin_domain_name
  site_origin_domain_name = module.site.bucket_regional_domain_name
  origin_secret_rotation  = local.origin_secret_rotation
  log_retention_days      = 14
}

module "site" {
  source = "../../modules/site"

  name                      = var.name
  distribution_arn          = module.edge.distribution_arn
  content_dir               = var.site_dir
  access_log_retention_days = 14
  force_destroy             = true
}
