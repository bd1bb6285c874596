import "./style.css"
import { Bar } from "./bar.ts"
import { Console } from "./console.ts"
import { LogList } from "./logs.ts"
import { NetworkMap } from "./map.ts"
import { Model } from "./model.ts"
import { Overview } from "./overview.ts"
import { PacketList } from "./packets.ts"
import { Panel } from "./panel.ts"
import { listen } from "./stream.ts"
import { Tabs } from "./tabs.ts"
import { Timeline } from "./timeline.ts"

const model = new Model()
const bar = new Bar(model)
const overview = new Overview(model)
const packets = new PacketList(model)
const logs = new LogList(model)
const console = new Console()
const map = new NetworkMap(model)
const timeline = new Timeline(model, (node, ms) => packets.at(node, ms))
const panel = new Panel(model, overview.element)
const tabs = new Tabs([
    {
        name: "Packets",
        pane: packets.element,
        tools: packets.filter.element,
        shown: () => packets.shown(),
    },
    { name: "Log", pane: logs.element, tools: logs.filter.element, shown: () => logs.shown() },
    { name: "Ping", pane: console.element },
])
console.printed = () => tabs.show("Ping")

for (const part of [bar, overview, packets, logs, console, map, timeline, panel]) model.add(part)
document.body.append(bar.element, map.element, panel.element, timeline.element, tabs.element)
listen(model, (isOpen, missed) => bar.connected(isOpen, missed))
