/** One thing the protocol asks of a host. */
export interface Requirement {
  readonly id: string;
  /** A failing MUST is a failure; a failing SHOULD (advice, or the safest reading of a gap) is a warning. */
  readonly level: 'MUST' | 'SHOULD';
  /** One sentence in our own words. */
  readonly text: string;
  /** Where it stands: "HTTP" and "run events" are the two parts the code base quotes everywhere. */
  readonly source: string;
}
