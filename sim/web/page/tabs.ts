import { h } from "../../../browser/dom.ts"

export interface Tab {
    name: string
    pane: HTMLElement
    tools?: HTMLElement
    shown?: () => void
}

/** Several lists in one place, one visible at a time. */
export class Tabs {
    readonly element = h("section", { class: "tabs" })
    private readonly tabs: Tab[]
    private readonly buttons: HTMLButtonElement[]

    constructor(tabs: Tab[]) {
        this.tabs = tabs
        this.buttons = tabs.map(({ name }) => {
            const button = h("button", { role: "tab" }, name)
            button.addEventListener("click", () => this.show(name))
            return button
        })
        const names = h("div", { role: "tablist" }, ...this.buttons)
        const head = h("div", { class: "head" }, names)
        for (const { tools } of tabs) if (tools) head.append(tools)
        this.element.append(head, ...tabs.map(({ pane }) => pane))
        this.show(tabs[0]!.name)
    }

    show(name: string): void {
        this.tabs.forEach((tab, i) => {
            const isShown = tab.name === name
            this.buttons[i]!.setAttribute("aria-selected", String(isShown))
            tab.pane.hidden = !isShown
            if (tab.tools) tab.tools.hidden = !isShown
            if (isShown) tab.shown?.()
        })
    }
}
