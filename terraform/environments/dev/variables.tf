variable "name" {
  description = "Prefix of everything."
  type        = string
  default     = "ledger-dev"
}

variable "region" {
  description = "Region of everything but CloudFront."
  type        = string
  default     = "ap-southeast-4"
}

variable "image_uri" {
  description = "Container image of all functions, by its digest. Not needed where `zip_file` is given."
  type        = string
  default     = null

  validation {
    condition     = var.image_uri == null || can(regex("@sha256:[0-9a-f]{64}$", var.image_uri))
    error_message = "Name the image by its digest, ...@sha256:...: a tag may come to mean another image."
  }
}

variable "zip_file" {
  description = "Zip file of all functions instead of an image; for emulators, which run no images."
  type        = string
  default     = null
}

variable "architecture" {
  description = "`arm64` or `x86_64`: what the image or Zip file was built for."
  type        = string
  default     = "arm64"
}

variable "runtime" {
  description = "Python of a Zip file's functions."
  type        = string
  default     = "python3.13"
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

variable "alarm_emails" {
  description = "Who is told of alarms."
  type        = set(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "What the account may cost a month in US dollars before an alarm; null for no budget."
  type        = number
  default     = 100
}

variable "delivery" {
  description = "How the event table's stream reaches the relay: `auto`, `pipe` or `event_source_mapping`."
  type        = string
  default     = "auto"
}

variable "emulator_url" {
  description = "Where an emulator of AWS listens that this is applied to, with any credentials and no check of them; null for AWS. Terraform itself finds it by AWS_ENDPOINT_URL."
  type        = string
  default     = null
}

variable "environment" {
  description = "Environment added to every function's."
  type        = map(string)
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

variable "rate_limit" {
  description = "Requests that one client may make of one instance of the API's function, such as `1200/minute` (or second, hour, day); `off` for any number. What a token may do over all is WAF's business."
  type        = string
  default     = "1200/minute"

  validation {
    condition     = can(regex("^(off|[1-9][0-9]{0,6}/(second|minute|hour|day))$", var.rate_limit))
    error_message = "As in 1200/minute (or second, hour, day), or off."
  }
}

variable "notify_webhooks" {
  description = "`count`: how many webhooks the function that notifies has time for. `version`: raise it by one when the list in the secret `NAME/notifications` has changed, so that functions start anew and read it."
  type        = object({ count = optional(number, 1), version = optional(number, 1) })
  default     = {}
}
