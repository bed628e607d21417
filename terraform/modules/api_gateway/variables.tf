variable "name" {
  description = "Prefix of every name, such as `ledger-prod`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 32 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "function" {
  description = "The function that answers, by an alias: the function's name, the alias's name, and the alias's invoke ARN."
  type = object({
    name       = string
    alias      = string
    invoke_arn = string
  })
}

variable "issuer" {
  description = "Issuer that tokens must name (`iss`)."
  type        = string

  validation {
    condition     = startswith(var.issuer, "https://")
    error_message = "The issuer is an https:// URL."
  }
}

variable "audiences" {
  description = "What tokens must be meant for (`aud`, or `client_id` where there is none)."
  type        = list(string)

  validation {
    condition     = length(var.audiences) > 0
    error_message = "At least one audience: without one every token of the issuer would do."
  }
}

variable "throttle" {
  description = "Requests a second over all clients, and how many may come at once."
  type = object({
    rate  = number
    burst = number
  })
  default = { rate = 500, burst = 1000 }
}

variable "domain" {
  description = "Host name of this Regional endpoint and its hosted zone; the default endpoint is switched off then. Without it the endpoint is AWS's own."
  type = object({
    name    = string
    zone_id = string
  })
  default = null
}

variable "logs_kms_key_arn" {
  description = "Key that encrypts the access log; its policy must admit CloudWatch Logs of this Region."
  type        = string
}

variable "log_retention_days" {
  description = "How long the access log is kept."
  type        = number
  default     = 365
}
