/** The search cannot be understood; the message is for the client. */
export class SearchError extends Error {}
