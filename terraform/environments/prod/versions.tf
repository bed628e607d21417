terraform {
  required_version = ">= 1.11, < 2"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }

  # Where the state is, `terraform init -backend-config=FILE` says; terraform/bootstrap made the
  # bucket and printed the file.
  backend "s3" {
    key          = "ledger/prod.tfstate"
    use_lockfile = true
    encrypt      = true
  }
}
