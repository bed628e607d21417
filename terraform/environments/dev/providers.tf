# An emulator takes any credentials. Where it listens, AWS_ENDPOINT_URL says, to Terraform as to
# everything else.

locals {
  emulated    = var.emulator_url != null
  credentials = local.emulated ? "test" : null

  tags = { Application = "inventory-ledger", Environment = "dev" }
}

provider "aws" {
  region                      = var.region
  access_key                  = local.credentials
  secret_key                  = local.credentials
  skip_metadata_api_check     = local.emulated
  skip_credentials_validation = local.emulated
  s3_use_path_style           = local.emulated

  default_tags {
    tags = local.tags
  }
}

# CloudFront's certificate and firewall live there.
provider "aws" {
  alias = "us_east_1"

  region                      = "us-east-1"
  access_key                  = local.credentials
  secret_key                  = local.credentials
  skip_metadata_api_check     = local.emulated
  skip_credentials_validation = local.emulated
  s3_use_path_style           = local.emulated

  default_tags {
    tags = local.tags
  }
}
