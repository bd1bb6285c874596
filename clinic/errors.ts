/** What is asked for contradicts what is there; the message is for the user. */
export class Conflict extends Error {}
