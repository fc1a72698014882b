"""The limits of AWS that a large test session meets, each with its source.

The sources were read as stored copies of the public documentation.
"""

PARTITION_WRITES = 1000
"""Write units a second under one partition key.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""

PARTITION_READS = 3000
"""Read units a second under one partition key; same source."""

COLLECTION_GB = 10
"""Gigabytes under one partition key of a table with a local index, index entries included.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html"""

NEW_TABLE_WRITES = 4000
"""Write units a second that a new on-demand table takes at once; it doubles its peak within 30 minutes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"""

TABLE_WRITES = 40_000
"""Write units a second of one on-demand table, a quota that AWS raises.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""

CONCURRENCY = 1000
"""Invocations at once in an account and region, a quota that AWS raises.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

SCALING = 1000
"""Execution environments that each function gains in ten seconds.
https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html"""

PREFIX_PUTS = 3500
"""Objects written a second under one prefix of a bucket, each with one notification.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"""

ROLES = 1000
"""Roles of an account, a quota that AWS raises. A deployment of the sample makes two.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

BUCKETS = 10_000
"""Buckets of an account. A deployment of the sample makes three.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html"""

TABLES = 2500
"""Tables of an account and region, a quota that AWS raises. A deployment makes one.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""
