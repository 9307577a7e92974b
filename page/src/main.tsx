// Where the page begins.

import { render } from "preact";
import { App } from "./app";
import { explainRefusals } from "./uploads/failures";

explainRefusals();
render(<App />, document.getElementById("page")!);
