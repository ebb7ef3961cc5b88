/** One value of a metric, in the text format 0.0.4 of Prometheus. */
interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric that only grows. */
export function counter(name: string, help: string, value: number): readonly string[] {
  return family(name, "counter", help, [{ value }]);
}

/** A metric that goes up and down. */
export function gauge(name: string, help: string, value: number): readonly string[] {
  return family(name, "gauge", help, [{ value }]);
}

/** A metric with a value for each set of labels. */
export function family(
  name: string,
  type: "counter" | "gauge",
  help: string,
  samples: readonly Sample[],
): readonly string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels = {}, value }) => `${name}${encodeLabels(labels)} ${value}`),
  ];
}

/** Label values here are codes and numbers, which need no escaping. */
function encodeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
