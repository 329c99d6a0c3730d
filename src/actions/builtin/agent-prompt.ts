export const promptAgent = 0 as never;
