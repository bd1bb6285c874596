export const signInWays = ["password", "openid", "passkey"] as const
/** What somebody has signed in with. */
export type SignInWay = (typeof signInWays)[number]
