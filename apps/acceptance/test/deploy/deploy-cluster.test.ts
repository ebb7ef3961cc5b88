import { startRedisCluster } from "@tm/run-events-test-servers";
import { describeDeploys } from "./describe-deploys.ts";

describeDeploys("a Redis Cluster", startRedisCluster);
