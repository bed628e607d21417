variable "name" {
  description = "Prefix of every name, such as `ledger-prod-ap-southeast-4`. Such names exist once in an account: where several Regions have an edge each, name the Region in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,44}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 46 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "api_origin_domain_name" {
  description = "Host name of the API: `origin_domain_name` of module api_gateway."
  type        = string
}

variable "site_origin_domain_name" {
  description = "Regional host name of the bucket with the static pages: `bucket_regional_domain_name` of module site."
  type        = string
}

variable "domain" {
  description = "Host name people use, and its hosted zone. Without it the host name is CloudFront's own (whose oldest TLS version is CloudFront's choice)."
  type = object({
    name    = string
    zone_id = string
  })
  default = null
}

variable "origin_secret_rotation" {
  description = "Raise by one to rotate the secret that CloudFront shows the API; the one before is accepted until the next rotation."
  type        = number
  default     = 1

  validation {
    condition     = var.origin_secret_rotation >= 1 && var.origin_secret_rotation == floor(var.origin_secret_rotation)
    error_message = "A whole number from 1 on."
  }
}

variable "requests_per_ip" {
  description = "Requests that one address may make in five minutes before it is refused."
  type        = number
  default     = 3000

  validation {
    condition     = var.requests_per_ip >= 10
    error_message = "WAF's lowest limit is 10."
  }
}

variable "requests_per_token" {
  description = "Requests that may be made with one token in a minute before it is refused, from whatever addresses."
  type        = number
  default     = 3000

  validation {
    condition     = var.requests_per_token >= 10
    error_message = "WAF's lowest limit is 10."
  }
}

variable "price_class" {
  description = "Where CloudFront answers from: PriceClass_All reaches Australia; PriceClass_200 and PriceClass_100 do not."
  type        = string
  default     = "PriceClass_All"

  validation {
    condition     = contains(["PriceClass_All", "PriceClass_200", "PriceClass_100"], var.price_class)
    error_message = "One of PriceClass_All, PriceClass_200, PriceClass_100."
  }
}

variable "log_retention_days" {
  description = "How long access logs and the firewall's log are kept."
  type        = number
  default     = 365
}
