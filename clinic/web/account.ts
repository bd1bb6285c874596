import "./admin.css"
import { PasskeysSection } from "./account-passkeys.ts"
import { PasswordSection } from "./account-password.ts"
import { SecondFactorSection } from "./account-second-factor.ts"
import { SessionsSection } from "./account-sessions.ts"
import type { Session } from "./api.ts"
import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

/** What users do with their own account: password, passkeys, second factor, sessions. */
export class AccountView implements View {
    readonly element = h("main", { class: "admin" })
    readonly title = t.account.heading

    constructor(user: Session) {
        const sections = [
            ...(user.hasPassword ? [new PasswordSection()] : []),
            new PasskeysSection(user),
            new SecondFactorSection(user),
            new SessionsSection(),
        ]
        this.element.append(
            h("h1", { tabindex: "-1" }, `${t.account.heading}: ${user.user}`),
            ...sections.map(({ element }) => element),
        )
    }

    update(): void {}
    add(): void {}
    /** What somebody is typing stays. */
    reload(): void {}
    close(): void {}
}
