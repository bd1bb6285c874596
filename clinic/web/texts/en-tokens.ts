/** The tokens of a user. */
export const tokens = {
    heading: (user: string) => `Tokens of ${user}`,
    link: "Tokens",
    name: "Name",
    days: "Ends after days (empty: never)",
    actions: "Rights, with commas (empty: all of the user)",
    wards: "Wards, with commas (empty: those of the user)",
    all: "all of the user",
    never: "never",
    nameless: (id: number) => `token ${id}`,
    revoke: "Revoke",
    revokeSure: "Revoke this token? Whatever uses it is refused from now on.",
    columns: { name: "Name", rights: "Rights", made: "Made", ends: "Ends", used: "Last used", action: "Action" },
}
