variable "name" {
  description = "Prefix of every name, such as `ledger-prod`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 32 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "cidr" {
  description = "Addresses of the VPC: a /16, of which each zone gets a private /20 and a public /24."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "The VPC needs a /16, such as 10.20.0.0/16."
  }
}

variable "az_count" {
  description = "Availability zones to spread over."
  type        = number
  default     = 3

  validation {
    condition     = var.az_count == floor(var.az_count) && var.az_count >= 2 && var.az_count <= 6
    error_message = "Between 2 and 6 zones."
  }
}

variable "nat_gateways" {
  description = "Ways out to the internet: `per_az` (a zone's failure stays in that zone), `single` (cheap; all zones depend on one), or `none` (functions reach only what has an endpoint)."
  type        = string
  default     = "per_az"

  validation {
    condition     = contains(["per_az", "single", "none"], var.nat_gateways)
    error_message = "One of per_az, single, none."
  }
}

variable "interface_endpoints" {
  description = "AWS services to reach without leaving the VPC, such as `events` or `sqs`. Each costs by the hour and zone."
  type        = set(string)
  default     = []
}

variable "logs_kms_key_arn" {
  description = "Key that encrypts the flow logs; its policy must admit CloudWatch Logs of this Region."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 365
}
