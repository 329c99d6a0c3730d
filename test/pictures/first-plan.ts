/** The plan that the README has its readers write: its first block of YAML. */
export function firstPlan(readme: string): string {
  const [, plan] = /^```yaml\n(.*?)^```/ms.exec(readme) ?? [];
  if (plan === undefined) throw new Error('the README has no block of YAML');
  return plan;
}
