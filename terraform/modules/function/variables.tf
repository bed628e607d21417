variable "name" {
  description = "Full name of the function, such as `ledger-prod-relay`."
  type        = string
}

variable "description" {
  description = "What the function does, in a sentence."
  type        = string
}

variable "scope" {
  description = "Where the function is: partition, Region and account."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
}

variable "handler" {
  description = "What is run: `package.module.function`. It is the image's command, or the Zip's handler."
  type        = string

  validation {
    condition     = can(regex("^[a-z_]+(\\.[a-z_]+)+$", var.handler))
    error_message = "A handler is a dotted path, such as projections.handlers.relay.handler."
  }
}

variable "package" {
  description = "The code: a container image, by its digest, or a Zip file with its Python runtime."
  type = object({
    image_uri = optional(string)
    zip_file  = optional(string)
    runtime   = optional(string, "python3.13")
  })

  validation {
    condition     = (var.package.image_uri == null) != (var.package.zip_file == null)
    error_message = "Give either image_uri or zip_file."
  }
}

variable "architecture" {
  description = "`arm64` or `x86_64`: what the package was built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Lambda runs arm64 and x86_64."
  }
}

variable "memory_mb" {
  description = "Memory in MB. Processor time grows with it; one processor is reached at 1769."
  type        = number
  default     = 512
}

variable "timeout_seconds" {
  description = "How long one invocation may take."
  type        = number
  default     = 30
}

variable "reserved_concurrency" {
  description = "How many invocations may run at once, kept aside from the account's; null for no limit of its own."
  type        = number
  default     = null
}

variable "environment" {
  description = "Environment of the function. Nothing secret: whoever may see the function's configuration sees it."
  type        = map(string)
  default     = {}
}

variable "statements" {
  description = "What the function may do: statements of an IAM policy, beyond logs, traces and its network interfaces."
  type = list(object({
    Sid       = string
    Effect    = string
    Action    = list(string)
    Resource  = list(string)
    Condition = optional(map(map(string)))
  }))
  default = []
}

variable "network" {
  description = "Subnets and security groups the function runs in; null for none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "keys" {
  description = "KMS keys of the log group and of the environment."
  type        = object({ logs = string, secrets = string })
}

variable "log_retention_days" {
  description = "How long logs are kept. One of the numbers CloudWatch Logs knows."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, ... days."
  }
}

variable "snap_start" {
  description = "Whether published versions are restored from a snapshot of the started process. Zip files of Python 3.12 or newer only."
  type        = bool
  default     = false

  validation {
    condition     = !var.snap_start || (var.package.image_uri == null && try(tonumber(trimprefix(var.package.runtime, "python3.")) >= 12, false))
    error_message = "SnapStart takes Zip files of Python 3.12 or newer, not images."
  }
}
