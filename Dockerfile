# checkov:skip=CKV_DOCKER_2: Lambda asks no container for its health
# The image every function runs; which function it is, the command says (Terraform sets it).
#
# To pin the base by its digest: docker buildx imagetools inspect public.ecr.aws/lambda/python:3.13
# names it; write it behind the tag as @sha256:... . Dependabot then proposes each newer one.
FROM public.ecr.aws/lambda/python:3.13 AS base

FROM base AS build
WORKDIR /build
COPY requirements/lambda.txt requirements/lambda.txt
COPY scripts/build-image-root.sh scripts/build-image-root.sh
RUN scripts/build-image-root.sh /var/task libraries
COPY ledger ledger
COPY projections projections
COPY api api
RUN scripts/build-image-root.sh /var/task code

FROM base
ARG VERSION=unknown
LABEL org.opencontainers.image.title="inventory-ledger" \
      org.opencontainers.image.description="An event-sourced inventory ledger: every function of it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${VERSION}"
# Everything is compiled already, and a function's files can't be written.
ENV PYTHONDONTWRITEBYTECODE=1
COPY --from=build /var/task ${LAMBDA_TASK_ROOT}
# Lambda runs functions as a user of its own, without rights; elsewhere the image should be no more than that either.
USER 1000:1000
CMD ["api.lambda_handler.handler"]
