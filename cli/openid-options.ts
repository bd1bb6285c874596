import { readFileSync } from "node:fs"
import { InvalidArgumentError, type Option } from "commander"
import { givenRoles, type OpenIdOptions, type SignInSettings } from "../clinic/index.ts"
import { fileError, UserError } from "../host/errors.ts"
import { httpsUrl, option } from "./options.ts"

/** Not an argument, because other processes can see arguments. */
const secretVariable = "VITALMOTE_OPENID_CLIENT_SECRET"

export interface OpenIdFlags {
    openidIssuer?: string
    openidClientId?: string
    openidSecretFile?: string
    openidCa?: string
    openidName?: string
    openidScope: string
    openidUserClaim: string
    openidLinkClaim?: string
    openidRoleClaim: string
    openidRole?: Pair[]
    openidWardClaim: string
    openidWard?: Pair[]
    openidTrustAmr?: string[]
    openidTrustAcr?: string[]
    passwordSignIn: "on" | "off"
    emergencyAdministrator?: string
}

/** `NAME=VALUE`; there may be more of `=` in the value. */
interface Pair {
    name: string
    value: string
}

export function signInOptions(): Option[] {
    return [
        option("--openid-issuer <url>", "sign in with this provider of OpenID Connect, too").argParser(httpsUrl),
        option("--openid-client-id <id>", "what the provider calls this clinic"),
        option("--openid-secret-file <file>", `file with the client's secret, if it has one (else: ${secretVariable})`),
        option("--openid-ca <file>", "authority of the provider's certificate, PEM, beside the usual ones"),
        option("--openid-name <text>", "what people call the provider (default: its host)"),
        option("--openid-scope <scopes>", "what to ask for").default("openid profile"),
        option("--openid-user-claim <claim>", "claim with the name of a new account").default("preferred_username"),
        option(
            "--openid-link-claim <claim>",
            "claim with the name of the account that somebody has here already (default: none is linked)",
        ),
        option("--openid-role-claim <claim>", "claim with groups").default("groups"),
        option(
            "--openid-role <role=value>",
            "role of a new account whose groups have this value; repeatable (default: no accounts are made)",
        ).argParser<Pair[]>((text, pairs = []) => [...pairs, rolePair(text)]),
        option("--openid-ward-claim <claim>", "claim with wards").default("groups"),
        option("--openid-ward <ward=value>", "ward of a new account that has this value; repeatable").argParser<Pair[]>(
            (text, pairs = []) => [...pairs, pair(text)],
        ),
        listOption(
            "--openid-trust-amr <method>",
            "method of the provider (amr) that is as good as a second factor here; repeatable",
        ),
        listOption("--openid-trust-acr <class>", "class (acr) that is, and is asked for; repeatable"),
        option("--password-sign-in <state>", "off: only the emergency administrator signs in with a password")
            .choices(["on", "off"])
            .default("on"),
        option("--emergency-administrator <user>", "who signs in with a password while it is off"),
    ]
}

/** What the options say together. @throws UserError */
export function signInFrom(
    o: OpenIdFlags,
    isReachable: { host: string; baseUrl?: string | undefined },
): SignInSettings {
    const openid = openIdFrom(o)
    if (openid && isReachable.baseUrl === undefined && ["0.0.0.0", "::"].includes(isReachable.host))
        throw new UserError("--openid-issuer: --base-url is needed, too: the provider sends browsers there", 2)
    if (o.passwordSignIn === "on") {
        if (o.emergencyAdministrator !== undefined)
            throw new UserError("--emergency-administrator is for --password-sign-in off", 2)
        return openid ? { openid } : {}
    }
    if (!openid) throw new UserError("--password-sign-in off: --openid-issuer is needed, too", 2)
    if (o.emergencyAdministrator === undefined)
        throw new UserError("--password-sign-in off: --emergency-administrator is needed, too", 2)
    return { openid, passwordsOnlyFor: o.emergencyAdministrator }
}

function openIdFrom(o: OpenIdFlags): OpenIdOptions | undefined {
    const { openidIssuer: issuer, openidClientId: clientId } = o
    if (issuer === undefined) {
        if (clientId !== undefined) throw new UserError("--openid-client-id: --openid-issuer is needed, too", 2)
        return undefined
    }
    if (clientId === undefined) throw new UserError("--openid-issuer: --openid-client-id is needed, too", 2)
    const scopes = o.openidScope.split(/ +/)
    if (!scopes.includes("openid")) throw new UserError("--openid-scope: openid is missing", 2)
    const roles = (o.openidRole ?? []).map(({ name, value }) => ({ role: name as (typeof givenRoles)[number], value }))
    if (roles.length === 0 && o.openidLinkClaim === undefined)
        throw new UserError(
            "--openid-issuer: --openid-role or --openid-link-claim is needed, too: nobody could sign in",
            2,
        )
    const clientSecret = secretFrom(o.openidSecretFile)
    return {
        ...{ issuer, clientId, scope: scopes.join(" "), name: o.openidName ?? new URL(issuer).host },
        ...(clientSecret !== undefined && { clientSecret }),
        ...(o.openidCa !== undefined && { ca: read(o.openidCa) }),
        rules: {
            ...{ userClaim: o.openidUserClaim, roleClaim: o.openidRoleClaim, roles },
            ...(o.openidLinkClaim !== undefined && { linkClaim: o.openidLinkClaim }),
            wardClaim: o.openidWardClaim,
            wards: (o.openidWard ?? []).map(({ name, value }) => ({ ward: name, value })),
            ...{ trustedAmr: o.openidTrustAmr ?? [], trustedAcr: o.openidTrustAcr ?? [] },
        },
    }
}

/** The first line of the file, or the variable; undefined where neither is given. */
function secretFrom(file: string | undefined): string | undefined {
    if (file === undefined) return process.env[secretVariable] || undefined
    const [line = ""] = read(file).split(/\r?\n/)
    if (line === "") throw new UserError(`${file}: there is no secret in its first line`, 2)
    return line
}

function read(file: string): string {
    try {
        return readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
}

function listOption(flags: string, description: string): Option {
    return option(flags, description).argParser<string[]>((text, all = []) => [...all, text])
}

function pair(text: string): Pair {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
    if (name === undefined || value === undefined) throw new InvalidArgumentError("Expected NAME=VALUE.")
    return { name, value }
}

function rolePair(text: string): Pair {
    const found = pair(text)
    const names: readonly string[] = givenRoles
    if (!names.includes(found.name)) throw new InvalidArgumentError(`Expected one of ${names.join(", ")} before the =.`)
    return found
}
