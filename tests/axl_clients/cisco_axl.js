// The npm package cisco-axl with the schemas that it brings.
"use strict";

const Axl = require("cisco-axl");

const [version, ...kinds] = process.argv.slice(2);
const { AXL_HOST, AXL_USER, AXL_PASSWORD } = process.env;
const MAC = "SEP00112233CC77";

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

const service = new Axl(AXL_HOST, AXL_USER, AXL_PASSWORD, version);

// Takes the tags of an operation, as the package gives them, lets them be filled in, and calls.
async function run(operation, fill, options) {
  const tags = await service.getOperationTags(operation);
  fill(tags);
  return service.executeOperation(operation, tags, options);
}

const parts = {
  async system() {
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
  },

  async profiles() {
    await attempt("profile added", () =>
      run("addUserProfileProvision", (tags) => {
        tags.userProfileProvision.name = "Sales";
        tags.userProfileProvision.limitProvision = "3";
      }),
    );
    await attempt("profiles", () =>
      run("listUserProfileProvision", (tags) => {
        tags.searchCriteria.name = "%%";
        tags.searchCriteria.description = "%%";
      }),
    );
    await attempt("profile", () =>
      run("getUserProfileProvision", (tags) => {
        tags.name = "Sales";
      }),
    );
    await attempt("profile removed", () =>
      run("removeUserProfileProvision", (tags) => {
        tags.name = "Sales";
      }),
    );
  },

  // What the package's own test does.
  async partitions() {
    await attempt("partition added", () =>
      run("addRoutePartition", (tags) => {
        tags.routePartition.name = "TEST-PARTITION-PT";
        tags.routePartition.description = "Partition for testing purposes. Created by AXL.";
      }),
    );
    await attempt("partitions", () =>
      run("listRoutePartition", (tags) => {
        tags.searchCriteria.name = "%%";
        tags.searchCriteria.description = "%%";
      }),
    );
    await attempt("partition updated", () =>
      service.executeOperation("updateRoutePartition", {
        name: "TEST-PARTITION-PT",
        newName: "LAB-PT",
      }),
    );
    await attempt("partition", () =>
      service.executeOperation("getRoutePartition", { name: "LAB-PT" }),
    );
  },

  async lines() {
    await attempt("line added", () =>
      service.executeOperation("addLine", {
        line: {
          pattern: "7001",
          usage: "Device",
          routePartitionName: "LAB-PT",
          description: "Workshop",
        },
      }),
    );
    const key = () => ({ pattern: "7001", routePartitionName: "LAB-PT" });
    await attempt("line updated", () =>
      service.executeOperation("updateLine", { ...key(), description: "New workshop" }),
    );
    await attempt("line", () => service.executeOperation("getLine", key()));
    await attempt("lines", () =>
      run("listLine", (tags) => {
        tags.searchCriteria = { pattern: "70%" };
      }),
    );
  },

  async users() {
    await attempt("user added", () =>
      service.executeOperation("addUser", {
        user: {
          userid: "cdoe",
          firstName: "Chris",
          lastName: "Doe",
          presenceGroupName: "Standard Presence group",
          selfService: "7001",
          digestCredentials: "a-digest-secret",
        },
      }),
    );
    await attempt("user updated", () =>
      service.executeOperation("updateUser", { userid: "cdoe", department: "Workshop" }),
    );
    await attempt("user", () =>
      service.executeOperation("getUser", { userid: "cdoe" }, { removeAttributes: false }),
    );
    await attempt("users", () =>
      run("listUser", (tags) => {
        tags.searchCriteria = { userid: "c%" };
      }),
    );
  },

  async phones() {
    await attempt("phone added", () =>
      service.executeOperation("addPhone", {
        phone: {
          name: MAC,
          description: "Workshop phone",
          product: "Cisco 8851",
          class: "Phone",
          protocol: "SIP",
          protocolSide: "User",
          devicePoolName: "Default",
          commonPhoneConfigName: "Standard Common Phone Profile",
          locationName: "Hub_None",
          useTrustedRelayPoint: "Default",
          builtInBridgeStatus: "Default",
          packetCaptureMode: "None",
          certificateOperation: "No Pending Operation",
          deviceMobilityMode: "Default",
          phoneTemplateName: "Standard 8851 SIP",
          ownerUserName: "cdoe",
          digestUser: "cdoe",
          lines: {
            line: [
              {
                index: 1,
                label: "7001",
                dirn: { pattern: "7001", routePartitionName: "LAB-PT" },
              },
            ],
          },
        },
      }),
    );
    await attempt("phone updated", () =>
      service.executeOperation("updatePhone", { name: MAC, description: "New workshop phone" }),
    );
    await attempt("phone", () => service.executeOperation("getPhone", { name: MAC }));
    await attempt("phones", () =>
      run("listPhone", (tags) => {
        tags.searchCriteria = { name: "SEP%" };
      }),
    );
    await attempt("phone restarted", () => service.executeOperation("restartPhone", { name: MAC }));
    await attempt("phone removed", () => service.executeOperation("removePhone", { name: MAC }));
    await attempt("phone gone", () => service.executeOperation("getPhone", { name: MAC }));
  },

  async removals() {
    const remove = (step, operation, key) =>
      attempt(step, () => service.executeOperation(operation, key));
    await remove("user removed", "removeUser", { userid: "cdoe" });
    await remove("line removed", "removeLine", { pattern: "7001", routePartitionName: "LAB-PT" });
    await remove("partition removed", "removeRoutePartition", { name: "LAB-PT" });
    await remove("partition gone", "removeRoutePartition", { name: "LAB-PT" });
  },
};

(async () => {
  for (const kind of kinds) {
    await parts[kind]();
  }
})();
