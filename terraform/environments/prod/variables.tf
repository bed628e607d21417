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

variable "auto_lanes" {
  description = "Lanes that an order splits a position into when processes contend for it (docs/lanes.md); 1 for none."
  type        = number
  default     = 1
}

variable "domain" {
  description = "Host names of your own, other ones in each Region: `name` is what people use, `api_name` the Regional endpoint behind CloudFront, and `zone_id` the hosted zone of both. Null for AWS's own names."
  type        = object({ name = string, api_name = string, zone_id = string })
  default     = null
}

variable "issuer" {
  description = "An OpenID Connect issuer of your own, and what its tokens put before each scope; null for a Cognito user pool."
  type = object({
    url       = string
    audiences = list(string)
    token_url = optional(string)
    jwks_url  = optional(string)

    scope_prefix = optional(string, "")
  })
  default = null
}

variable "clients" {
  description = "Cognito only: the machines that may get tokens, and the scopes of each."
  type        = map(set(string))
  default     = { default = ["inventory:read", "orders:write", "stock:write"] }
}

variable "rate_limit" {
  description = "Requests that one client may make of one instance of the API's function, such as `1200/minute` (or second, hour, day); `off` for any number. What a token may do over all is WAF's business."
  type        = string
  default     = "1200/minute"

  validation {
    condition     = can(regex("^(off|[1-9][0-9]{0,6}/(second|minute|hour|day))$", var.rate_limit))
    error_message = "As in 1200/minute (or second, hour, day), or off."
  }
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

variable "notify_webhooks" {
  description = "`count`: how many webhooks the function that notifies has time for. `version`: raise it by one when the list in the secret `NAME/notifications` has changed, so that functions start anew and read it."
  type        = object({ count = optional(number, 1), version = optional(number, 1) })
  default     = {}
}

variable "site_dir" {
  description = "Folder of the static pages, as scripts/build_site.py lays it out; relative to this environment."
  type        = string
  default     = "../../../build/site"

  validation {
    condition     = fileexists("${var.site_dir}/openapi.json")
    error_message = "There are no static pages in ${var.site_dir}. Lay them out, at the root of the repository: .venv/bin/python scripts/build_site.py build/site"
  }
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
