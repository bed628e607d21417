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

variable "front" {
  description = "Whether CloudFront, its firewall and the static pages stand before the API."
  type        = bool
  default     = true
}

variable "emulated" {
  description = "Whether this is applied to an emulator of AWS: any credentials, no check of them."
  type        = bool
  default     = false
}

variable "environment" {
  description = "Environment added to every function's."
  type        = map(string)
  default     = {}
}
