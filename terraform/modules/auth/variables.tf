variable "name" {
  description = "Prefix of every name, such as `ledger-prod`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 32 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "issuer" {
  description = "An OpenID Connect issuer of your own: its audiences, where clients get tokens, and what stands before each scope in them. Leave it out and a Cognito user pool is made."
  type = object({
    url       = string
    audiences = list(string)
    token_url = optional(string)
    jwks_url  = optional(string)

    scope_prefix = optional(string, "")
  })
  default = null

  validation {
    condition     = var.issuer == null || (startswith(try(var.issuer.url, ""), "https://") && try(length(var.issuer.audiences), 0) > 0)
    error_message = "An issuer has an https:// URL and at least one audience."
  }
}

variable "domain_prefix" {
  description = "Cognito only: the token endpoint is https://PREFIX.auth.REGION.amazoncognito.com. Unique in the Region; default: the name and the account's number."
  type        = string
  default     = null
}

variable "resource_server" {
  description = "Cognito only: identifier of the API. Cognito puts it before each scope of a token, as in `ledger/orders:write`."
  type        = string
  default     = "ledger"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.resource_server))
    error_message = "Lower-case letters, digits and hyphens."
  }
}

variable "clients" {
  description = "Cognito only: the machines that may get tokens (client credentials), and the scopes of each."
  type        = map(set(string))
  default     = { default = ["inventory:read", "orders:write", "stock:write"] }

  validation {
    condition     = length(setsubtract(flatten([for scopes in values(var.clients) : tolist(scopes)]), ["inventory:read", "orders:write", "stock:write", "admin"])) == 0
    error_message = "The scopes are inventory:read, orders:write, stock:write and admin."
  }
  validation {
    condition     = length(var.clients) > 0 && alltrue([for scopes in values(var.clients) : length(scopes) > 0])
    error_message = "At least one client, each with at least one scope."
  }
}

variable "deletion_protection" {
  description = "Cognito only: refuse to delete the user pool."
  type        = bool
  default     = true
}
