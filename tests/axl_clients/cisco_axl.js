// The npm package cisco-axl with the schemas that it brings.
"use strict";

const Axl = require("cisco-axl");

const [version] = process.argv.slice(2);
const { AXL_HOST, AXL_USER, AXL_PASSWORD } = process.env;

const say = (step, result, fault) =>
  console.log(JSON.stringify({ step, result: result ?? null, fault: fault ?? null }));

// Calls, says what came of it, and gives it.
async function attempt(step, call) {
  try {
    const result = await call();
    say(step, result);
    return result;
  } catch (refused) {
    const text = refused?.faultstring ?? refused?.message ?? refused;
    say(step, null, typeof text === "string" ? text : JSON.stringify(text));
    return null;
  }
}

(async () => {
  const service = new Axl(AXL_HOST, AXL_USER, AXL_PASSWORD, version);
  const run = async (operation, change, options) => {
    const tags = await service.getOperationTags(operation);
    change(tags);
    return service.executeOperation(operation, tags, options);
  };
  await attempt("operations", () => service.returnOperations("RoutePartition"));
  await attempt("version", () => service.executeOperation("getCCMVersion", {}));
  await attempt("sql", () =>
    run("executeSQLQuery", (tags) => {
      tags.sql = "select userid, firstname from enduser where userid = 'aksethi'";
    }),
  );
  await attempt("login", () =>
    service.executeOperation("doAuthenticateUser", { userid: "aksethi", pin: "8362" }),
  );
  const stranger = new Axl(AXL_HOST, AXL_USER, "wrong", version);
  await attempt("wrong password", () => stranger.executeOperation("getCCMVersion", {}));
})();
