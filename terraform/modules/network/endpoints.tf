# Gateway endpoints keep DynamoDB and S3 off the NAT gateways, at no cost. What a function may do there is up to its
# role: the endpoints only see to it that nobody's data but this account's is reached, by nobody but this account.

locals {
  own_account_only = {
    for service in ["dynamodb", "s3"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OwnAccountOnly"
        Effect    = "Allow"
        Principal = "*"
        Action    = "${service}:*"
        Resource  = "*"
        Condition = {
          StringEquals = {
            "aws:PrincipalAccount" = data.aws_caller_identity.current.account_id
            "aws:ResourceAccount"  = data.aws_caller_identity.current.account_id
          }
        }
      }]
    })
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.own_account_only

  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  policy            = each.value

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_security_group" "endpoint" {
  # checkov:skip=CKV2_AWS_5: attached to the interface endpoints below, which the graph check does not follow
  count = length(var.interface_endpoints) > 0 ? 1 : 0

  name        = "${var.name}-endpoint"
  description = "Interface endpoints: HTTPS from the functions"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-endpoint" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoint" {
  count = length(var.interface_endpoints) > 0 ? 1 : 0

  security_group_id            = aws_security_group.endpoint[0].id
  description                  = "HTTPS from the functions"
  referenced_security_group_id = aws_security_group.function.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoint[0].id]
  private_dns_enabled = true

  tags = { Name = "${var.name}-${each.key}" }
}
