import { ProblemError } from "../errors.ts"
import { kindOf, roles, type Role } from "../people/permissions.ts"

/** What a provider says of somebody: the claims of an ID token and of the user info (OpenID Connect Core 1.0 §5). */
export type Claims = Readonly<Record<string, unknown>>

/** How claims become an account. Nothing is taken from a claim that is not named here. */
export interface ClaimRules {
    /** The claim with the name of a new account. */
    userClaim: string
    /** The claim with the name of the account that is there already; without it, nobody gets one that the provider did not make. */
    linkClaim?: string
    /** The claim with groups, and which of its values stands for which role. */
    roleClaim: string
    roles: readonly { role: Role; value: string }[]
    /** The claim with wards, and which of its values stands for which ward. */
    wardClaim: string
    wards: readonly { ward: string; value: string }[]
    /** Methods (`amr`) and classes (`acr`) of authentication that are as good as a second factor here. */
    trustedAmr: readonly string[]
    trustedAcr: readonly string[]
}

/** The roles that claims may give: those of people who are nobody's patient account. */
export const givenRoles: readonly Role[] = roles.filter(role => {
    const { signIn, isPatient, wards } = kindOf(role)
    return signIn === "password" && !isPatient && wards !== "one"
})

const maxNameChars = 100

/** The one role that the claims stand for. @throws ProblemError for none, and for more than one */
export function roleOf(claims: Claims, { roleClaim, roles }: ClaimRules): Role {
    const values = textsOf(claims, roleClaim)
    const matching = roles.filter(({ value }) => values.includes(value))
    const found = new Set(matching.map(({ role }) => role))
    const [role, another] = found
    if (role === undefined) throw new ProblemError("openid-no-role")
    if (another !== undefined) throw new ProblemError("openid-two-roles")
    return role
}

/** The wards that the claims stand for, each once. */
export function wardsOf(claims: Claims, { wardClaim, wards }: ClaimRules): string[] {
    const values = textsOf(claims, wardClaim)
    return [...new Set(wards.filter(({ value }) => values.includes(value)).map(({ ward }) => ward))]
}

/** The text of a claim that can be a user's name; an e-mail address only where the provider has verified it. */
export function userNameOf(claims: Claims, claim: string): string | undefined {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
    if (typeof value !== "string" || value.length > maxNameChars || !/^[^\p{Cc}]+$/u.test(value)) return undefined
    if (claim === "email" && claims["email_verified"] !== true) return undefined
    return value
}

/** Whether the provider has asked for more than one factor, as far as it is believed (RFC 8176; OpenID Connect Core §2). */
export function hasTwoFactors(claims: Claims, { trustedAmr, trustedAcr }: ClaimRules): boolean {
    const { acr } = claims
    return (
        textsOf(claims, "amr").some(method => trustedAmr.includes(method)) ||
        (typeof acr === "string" && trustedAcr.includes(acr))
    )
}

/** The claims that the rules look at, beside those of the authentication itself. */
export function claimNames({ userClaim, linkClaim, roleClaim, wardClaim }: ClaimRules): string[] {
    return [userClaim, ...(linkClaim === undefined ? [] : [linkClaim]), roleClaim, wardClaim]
}

/** A claim that is a text, or a list with texts. */
function textsOf(claims: Claims, claim: string): string[] {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
    if (typeof value === "string") return [value]
    return Array.isArray(value) ? value.filter(each => typeof each === "string") : []
}
