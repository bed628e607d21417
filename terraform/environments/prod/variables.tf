variable "name" {
  description = "Prefix of everything."
  type        = string
  default     = "ledger-prod"
}

variable "region" {
  description = "Region of everything but CloudFront."
  type        = string
  default     = "ap-southeast-4"
}

variable "replica_region" {
  description = "Region that holds a replica of every table that can't be rebuilt; null for none."
  type        = string
  default     = "ap-southeast-2"

  validation {
    condition     = var.replica_region != var.region
    error_message = "The replica belongs into another Region."
  }
}

variable "replicated_tables" {
  description = "`create` in the first Region. `adopt` in the Region that holds the replicas, with a state of its own, `replica_region = null` and a `name` that is the same."
  type        = string
  default     = "create"
}

variable "lease" {
  description = "Whether a Region writes only while it holds the lease: once both Regions run the application."
  type        = bool
  default     = false
}

variable "image_uri" {
  description = "Container image of all functions, by its digest."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image_uri))
    error_message = "Name the image by its digest, ...@sha256:...: a tag may come to mean another image."
  }
}

variable "architecture" {
  description = "`arm64` or `x86_64`: what the image was built for."
  type        = string
  default     = "arm64"
}

variable "locations" {
  description = "Locations that serve order lines naming none, in order."
  type        = list(string)
  default     = ["main"]
}

variable "domain" {
  description = "Host names of your own: `name` is what people use, `api_name` the Regional endpoint behind CloudFront, and `zone_id` the hosted zone of both. Null for AWS's own names."
  type        = object({ name = string, api_name = string, zone_id = string })
  default     = null
}

variable "issuer" {
  description = "An OpenID Connect issuer of your own; null for a Cognito user pool."
  type = object({
    url       = string
    audiences = list(string)
    token_url = optional(string)
    jwks_url  = optional(string)
  })
  default = null
}

variable "clients" {
  description = "Cognito only: the machines that may get tokens, and the scopes of each."
  type        = map(set(string))
  default     = { default = ["inventory:read", "orders:write", "stock:write"] }
}

variable "origin_secret_rotation" {
  description = "Raise by one to rotate the secret between CloudFront and the API."
  type        = number
  default     = 1
}

variable "cursor_secret_version" {
  description = "Raise by one to rotate the secret that signs list cursors."
  type        = number
  default     = 1
}

variable "alarm_emails" {
  description = "Who is told of alarms. Each has to confirm once."
  type        = set(string)

  validation {
    condition     = length(var.alarm_emails) > 0
    error_message = "Somebody has to be told of alarms."
  }
}

variable "monthly_budget_usd" {
  description = "What the account may cost a month in US dollars before an alarm; null for no budget."
  type        = number
  default     = 500
}

variable "reserved_concurrency" {
  description = "Concurrency set aside for the relay and the sequencer. Off where the account's limit is too low for it (new accounts have 10)."
  type        = bool
  default     = true
}

variable "snap_start" {
  description = "Whether the API's function is restored from a snapshot. The application must not draw random numbers before it is."
  type        = bool
  default     = false
}
