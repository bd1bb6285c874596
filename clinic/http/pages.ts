import { fileURLToPath } from "node:url"
import { bundlePages, pageRoutes, type Pages } from "../../host/pages.ts"
import type { App } from "./typed-app.ts"

export type { Pages } from "../../host/pages.ts"

const web = fileURLToPath(new URL("../web/", import.meta.url))

export function clinicPages(): Pages {
    return bundlePages(web)
}

export function clinicPageRoutes(app: App, pages: Pages): void {
    pageRoutes(app, pages, { access: "public", isCompressed: true })
}
