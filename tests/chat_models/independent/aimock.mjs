// Starts aimock on a free port of this machine, prints its address, and ends when standard input is closed.
// Arguments: the folder with node_modules, the file of fixtures.
import { createRequire } from "node:module";
import { join } from "node:path";

const [, , home, fixtures] = process.argv;
const { LLMock } = createRequire(join(home, "package.json"))("@copilotkit/aimock");

const mock = new LLMock({ host: "127.0.0.1", port: 0, chunkSize: 7 });
mock.loadFixtureFile(fixtures);
await mock.start();
console.log(mock.url);
process.stdin.on("end", () => mock.stop().then(() => process.exit(0)));
process.stdin.resume();
