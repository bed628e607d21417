output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "One private subnet in each zone, in the zones' order: where functions run."
  value       = [for zone in keys(local.zones) : aws_subnet.private[zone].id]
}

output "function_security_group_id" {
  description = "Security group for functions: HTTPS out, nothing in."
  value       = aws_security_group.function.id
}

output "nat_public_ips" {
  description = "The addresses that the functions' traffic comes from; empty without NAT gateways."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
