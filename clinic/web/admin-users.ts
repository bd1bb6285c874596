import {
    addToken,
    addUser,
    patients,
    removeUser,
    switchUser,
    setupLink,
    users,
    type NewUser,
    type Patient,
    type Session,
    type User,
} from "./api.ts"
import { AdminForm, rowButton } from "./admin-form.ts"
import { h, setText } from "../../browser/dom.ts"
import { TokensPanel } from "./admin-tokens.ts"
import { WardFields, WardsPanel, type WardChoice } from "./admin-wards.ts"
import { Field, selectOf } from "./fields.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

/** What an account of each role needs. */
const kinds: Record<string, { password?: true; patient?: true; wards?: WardChoice }> = {
    doctor: { password: true, wards: "choice" },
    nurse: { password: true, wards: "choice" },
    administrator: { password: true },
    patient: { password: true, patient: true },
    display: { password: true, wards: "one" },
    router: { wards: "served" },
    integrator: { wards: "choice" },
}
const leastPassword = 12

/** Who may come in: accounts of people, displays and routers. */
export class UsersSection {
    readonly element = h("div")
    private readonly own: string
    private readonly mayListPatients: boolean
    private readonly rows = h("tbody")
    private readonly token = h("p", { class: "admin-token", role: "status" })
    private readonly panel = h("div")
    private readonly fields: Record<"user" | "role" | "password" | "patient" | "reach" | "wards", Field>
    private readonly wards = new WardFields()
    private readonly form: AdminForm
    private wearers = new Map<number, Patient>()

    constructor(user: Session) {
        this.own = user.user
        this.mayListPatients = user.permissions.includes("manage-patients")
        const roles = Object.keys(kinds).filter(role => !kinds[role]?.patient || this.mayListPatients)
        const input = (o: Record<string, string>) => h("input", { autocomplete: "off", ...o })
        this.fields = {
            role: new Field(t.admin.roleOf, selectOf(roles, t.admin.role, "nurse")),
            user: new Field(t.login.user, input({ required: "", maxlength: "100" })),
            password: new Field(
                t.admin.password(leastPassword),
                input({ type: "password", autocomplete: "new-password", maxlength: "200" }),
            ),
            patient: new Field(t.log.columns.who, selectOf([""], String)),
            reach: this.wards.reach,
            wards: this.wards.wards,
        }
        this.fields.role.control.addEventListener("change", () => this.follow())
        this.form = new AdminForm(this.fields, {
            button: t.admin.addUser,
            send: () => this.send(),
            places: {
                "name-taken": "user",
                "needs-ward": "wards",
                "needs-wards": "reach",
                "needs-patient": "patient",
                "needs-password": "password",
            },
        })
        this.element.append(
            h("section", { class: "panel" }, h("h2", {}, t.admin.newUser), this.form.element),
            h("section", { class: "panel" }, h("h2", {}, t.admin.part.users), this.token, table(columns(), this.rows)),
            this.panel,
        )
        this.follow()
        void this.load()
    }

    /** Only what the role needs. */
    private follow(): void {
        const kind = kinds[this.fields.role.control.value] ?? {}
        for (const name of ["password", "patient"] as const) {
            const { element, control } = this.fields[name]
            element.hidden = kind[name] === undefined
            control.required = name !== "password" && kind[name] !== undefined
        }
        this.wards.follow(kind.wards)
    }

    private async load(): Promise<void> {
        try {
            const [all, wearers] = await Promise.all([users(), this.mayListPatients ? patients() : []])
            this.wearers = new Map(wearers.map(patient => [patient.id, patient]))
            const names = wearers.map(({ id, family, given }) => [String(id), t.ward.name(family, given)] as const)
            const texts = new Map(names)
            this.fields.patient.control.replaceChildren(
                ...selectOf(["", ...texts.keys()], id => texts.get(id) ?? t.rules.choose).children,
            )
            this.rows.replaceChildren(...all.map(user => this.row(user)))
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
    }

    private show({ element }: { element: HTMLElement }): void {
        this.panel.replaceChildren(element)
        element.focus()
    }

    private row(account: User): HTMLElement {
        const { user, role, patient, wards, active } = account
        const wearer = patient === null ? undefined : this.wearers.get(patient)
        const actions = h("span", { class: "admin-actions" })
        if (!kinds[role]?.password) actions.append(rowButton(t.admin.newToken, user, () => this.addToken(user)))
        else if (user !== this.own) actions.append(rowButton(t.admin.newLink, user, () => this.addLink(user)))
        actions.append(rowButton(t.tokens.link, user, () => this.show(new TokensPanel(user))))
        const which = kinds[role]?.wards
        if (which)
            actions.append(
                rowButton(t.admin.wards, user, () => this.show(new WardsPanel(account, which, () => this.load()))),
            )
        if (user !== this.own) {
            const text = active ? t.admin.switchOff : t.admin.switchOn
            actions.append(rowButton(text, user, () => this.switch(user, !active)))
            actions.append(rowButton(t.admin.remove, user, () => this.remove(user)))
        }
        return row(columns(), [
            active ? user : t.admin.isOff(user),
            t.admin.role(role),
            wearer ? t.ward.name(wearer.family, wearer.given) : wardsText(wards),
            actions,
        ])
    }

    private async send(): Promise<string> {
        const { user, role, password, patient } = this.fields
        const kind = kinds[role.control.value] ?? {}
        const hasPassword = kind.password === true && password.control.value !== ""
        if (hasPassword && password.control.value.length < leastPassword) {
            password.say(t.admin.shortPassword(leastPassword))
            password.control.focus()
            return ""
        }
        const wards = this.wards.value
        const name = user.control.value.trim()
        await addUser({
            ...{ user: name, role: role.control.value as NewUser["role"] },
            ...(hasPassword && { password: password.control.value }),
            ...(kind.patient && { patient: Number(patient.control.value) }),
            ...(wards && { wards }),
        })
        for (const field of [user, password, patient]) field.control.value = ""
        this.wards.value = undefined
        await this.load()
        if (kind.password && !hasPassword) await this.addLink(name)
        return t.admin.added(name)
    }

    private async addToken(user: string): Promise<void> {
        try {
            const { token } = await addToken(user)
            this.token.replaceChildren(t.admin.token(user), " ", h("code", {}, token))
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
    }

    /** With which somebody sets the own password, once. */
    private async addLink(user: string): Promise<void> {
        try {
            const { token } = await setupLink(user)
            const url = new URL(".", location.href)
            url.hash = `setup=${token}`
            this.token.replaceChildren(t.admin.setupLink(user), " ", h("code", {}, url.href))
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
    }

    private async switch(user: string, active: boolean): Promise<void> {
        try {
            await switchUser(user, active)
            setText(this.form.state, active ? t.admin.switchedOn(user) : t.admin.switchedOff(user))
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
        await this.load()
    }

    private async remove(user: string): Promise<void> {
        if (!confirm(t.admin.removeSure(user))) return
        try {
            await removeUser(user)
            setText(this.form.state, t.admin.removed(user))
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
        await this.load()
    }
}

function wardsText(wards: User["wards"]): string {
    if (wards === "all") return t.admin.allWards
    return wards?.join(", ") ?? t.news2.none
}

const columns = () => Object.values(t.admin.userColumn)
