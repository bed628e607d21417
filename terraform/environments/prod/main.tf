# Production: three zones with a way out each, replicas in a second Region, history under protection.

module "network" {
  source = "../../modules/network"

  name             = var.name
  az_count         = 3
  nat_gateways     = "per_az"
  logs_kms_key_arn = module.pipeline.key_arns.logs
}

# A replica is encrypted with a key of its own Region.
module "replica_keys" {
  source    = "../../modules/keys"
  count     = var.replica_region == null ? 0 : 1
  providers = { aws = aws.replica }

  name     = "${var.name}-replica"
  purposes = ["data"]
}

module "pipeline" {
  source = "../../modules/pipeline"

  name         = var.name
  package      = { image_uri = var.image_uri }
  architecture = var.architecture
  network      = { subnet_ids = module.network.private_subnet_ids, security_group_ids = [module.network.function_security_group_id] }
  locations    = var.locations
  auto_lanes   = var.auto_lanes

  replica           = var.replica_region == null ? null : { region = var.replica_region, key_arn = module.replica_keys[0].arns.data }
  replicated_tables = var.replicated_tables

  lease           = var.lease
  notify_webhooks = var.notify_webhooks

  archive_days       = 90
  log_retention_days = 365

  alarm_emails       = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
  api_gateway        = { exists = true, id = module.api_gateway.api_id }

  api   = { environment = local.api_environment, memory_mb = 1769 }
  relay = { reserved_concurrency = var.reserved_concurrency ? 20 : null, parallelization = 4 }
  consumers = {
    # Two batches at once, and a sweep.
    sequencer = { reserved_concurrency = var.reserved_concurrency ? (var.lease ? 3 : 2) : null }
  }

  cursor_secret_version       = var.cursor_secret_version
  api_secret_settings         = { origin_secrets = join(",", module.edge.origin_secrets) }
  api_secret_settings_version = var.origin_secret_rotation
}

locals {
  api_environment = {
    LEDGER_RATE_LIMIT   = var.rate_limit
    LEDGER_AUTH         = "jwt"
    LEDGER_JWT_ISSUER   = module.auth.issuer
    LEDGER_JWT_AUDIENCE = join(",", module.auth.audiences)
    LEDGER_JWT_JWKS     = module.auth.jwks_url

    LEDGER_JWT_SCOPE_PREFIX = module.auth.scope_prefix
  }
}

module "auth" {
  source = "../../modules/auth"

  name    = var.name
  issuer  = var.issuer
  clients = var.clients
}

module "api_gateway" {
  source = "../../modules/api_gateway"

  name             = var.name
  function         = { name = module.pipeline.api.name, alias = module.pipeline.api.alias_name, invoke_arn = module.pipeline.api.alias_invoke_arn }
  issuer           = module.auth.issuer
  audiences        = module.auth.audiences
  domain           = var.domain == null ? null : { name = var.domain.api_name, zone_id = var.domain.zone_id }
  logs_kms_key_arn = module.pipeline.key_arns.logs
}

module "edge" {
  source    = "../../modules/edge"
  providers = { aws = aws.us_east_1 }

  name                    = "${var.name}-${var.region}"
  api_origin_domain_name  = module.api_gateway.origin_domain_name
  site_origin_domain_name = module.site.bucket_regional_domain_name
  domain                  = var.domain == null ? null : { name = var.domain.name, zone_id = var.domain.zone_id }
  origin_secret_rotation  = var.origin_secret_rotation
}

module "site" {
  source = "../../modules/site"

  name             = var.name
  distribution_arn = module.edge.distribution_arn
  content_dir      = var.site_dir
}
