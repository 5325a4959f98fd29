// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/pod_record.h"

#include <filesystem>

#include "linux/file.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStateSuffix = ".state.json";

}  // namespace

std::string to_json(const PodRecord& record) {
  nlohmann::ordered_json json = {{"namespace", record.name.name_space},
                                 {"name", record.name.name},
                                 {"id", record.id},
                                 {"node", record.node},
                                 {"netns", record.netns},
                                 {"hostNetwork", record.host_network},
                                 {"hostname", record.hostname},
                                 {"cgroup", record.cgroup},
                                 {"stateFile", record.state_file},
                                 {"logFile", record.log_file},
                                 {"containers", nlohmann::ordered_json::array()}};
  for (const PodRecord::Command& command : record.commands) {
    json["containers"].push_back({{"name", command.name},
                                  {"init", command.init},
                                  {"argv", command.argv},
                                  {"env", command.env},
                                  {"workingDirectory", command.working_directory}});
  }
  // A command line may hold any bytes.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<PodRecord> record_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || text_at(json, "/name").empty()) return fail("not a pod's record");
  PodRecord record;
  record.name = {text_at(json, "/namespace"), text_at(json, "/name")};
  record.id = text_at(json, "/id");
  record.node = text_at(json, "/node");
  record.netns = text_at(json, "/netns");
  record.host_network = json.value("hostNetwork", false);
  record.hostname = text_at(json, "/hostname");
  record.cgroup = text_at(json, "/cgroup");
  record.state_file = text_at(json, "/stateFile");
  record.log_file = text_at(json, "/logFile");
  for (const Json& container : json.value("containers", Json::array())) {
    record.commands.push_back({text_at(container, "/name"), container.value("init", false),
                               texts_at(container, "/argv"), texts_at(container, "/env"),
                               text_at(container, "/workingDirectory")});
  }
  return record;
}

Result<std::map<ObjectName, PodRecord>> load_records(const Lab& lab) {
  std::map<ObjectName, PodRecord> records;
  std::error_code error;
  for (fs::directory_iterator entry(lab.names.pods_directory(), error), end; entry != end;
       entry.increment(error)) {
    const std::string file = entry->path().filename();
    if (file.starts_with('.') || !file.ends_with(".json") || file.ends_with(kStateSuffix)) continue;
    const auto text = read_file(entry->path());
    if (!text) continue;  // removed meanwhile
    WEFT_ASSIGN(PodRecord record, record_from_json(*text), entry->path().string());
    records.insert_or_assign(record.name, std::move(record));
  }
  if (error) return fail_errno(lab.names.pods_directory(), error.value());
  return records;
}

}  // namespace weft::lab
