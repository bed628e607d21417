output "arns" {
  description = "ARN of every table, by its name in the manifest."
  value       = local.arns

  # Who uses the ARN wants the table, though the ARN is known before it.
  depends_on = [aws_dynamodb_table.this]
}

output "names" {
  description = "Full name of every table, by its name in the manifest."
  value       = { for name in keys(var.tables) : name => "${var.name}-${name}" }
}

output "stream_arns" {
  description = "ARN of the stream of every table that has one, by the table's name in the manifest."
  value = merge(
    { for name, table in aws_dynamodb_table.this : name => table.stream_arn if local.stream_view[name] != null },
    { for name, table in data.aws_dynamodb_table.adopted : name => table.stream_arn },
  )
}

output "key_arns" {
  description = "KMS keys that the tables in this Region are encrypted with."
  value       = distinct(concat([var.key_arn], flatten([for table in data.aws_dynamodb_table.adopted : table.server_side_encryption[*].kms_key_arn])))
}
