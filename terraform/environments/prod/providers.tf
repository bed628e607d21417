locals {
  tags = { Application = "inventory-ledger", Environment = "prod" }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# Where the replicas are; only their key is made through it.
provider "aws" {
  alias  = "replica"
  region = coalesce(var.replica_region, var.region)

  default_tags {
    tags = local.tags
  }
}

# CloudFront's certificate and firewall live there.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}
