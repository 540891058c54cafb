// node compile.mjs <in.cairo> <out.json>: compiles one contract with the npm package wasm-cairo of the current folder.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const home = path.resolve('node_modules/wasm-cairo');
const compiler = await import(pathToFileURL(path.join(home, 'wasm-cairo.js')).href);
compiler.initSync({ module: fs.readFileSync(path.join(home, 'wasm-cairo_bg.wasm')) });
const [source, target] = process.argv.slice(2);
const answer = compiler.compileStarknetContract(fs.readFileSync(source, 'utf8'), true, true);
try {
  fs.writeFileSync(target, JSON.stringify(JSON.parse(answer)));
} catch {
  console.error(`${source}: ${answer}`); // the compiler gives no reason
  process.exit(1);
}
