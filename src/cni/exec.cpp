// SPDX-License-Identifier: Apache-2.0
#include "cni/exec.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cni/json.h"
#include "linux/file.h"
#include "linux/process.h"

namespace weft::cni {
namespace {

bool is_executable_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

CniError printed_error(const std::string& executable, const Output& output) {
  const Outcome<Json> json = parse_json(output.out);
  if (json && json->is_object()) {
    ObjectReader reader(*json, "");
    CniError error(ErrorCode::kInternal, reader.text("msg"), reader.text("details"));
    error.code = reader.number("code").value_or(error.code);
    if (reader.done() && !error.message.empty()) return error;
  }
  std::string said = output.out.empty() ? output.err : output.out;
  if (said.empty()) said = "no error message";
  return {ErrorCode::kInternal, executable + " failed with status " + std::to_string(output.status),
          std::move(said)};
}

}  // namespace

Outcome<std::string> find_executable(std::string_view type, const std::vector<std::string>& path) {
  if (type.empty()) return fail(ErrorCode::kInvalidConfig, "plugin type is missing");
  if (type.find('/') != std::string_view::npos)
    return fail(ErrorCode::kInvalidConfig, "invalid plugin type: " + std::string(type));
  std::string searched;
  for (const std::string& directory : path) {
    std::string candidate = directory + "/" + std::string(type);
    if (is_executable_file(candidate)) return candidate;
    searched.append(searched.empty() ? "" : ":").append(directory);
  }
  return fail(ErrorCode::kInvalidConfig,
              "failed to find plugin \"" + std::string(type) + "\" in path " + searched);
}

Outcome<std::string> execute_plugin(const std::string& executable, const Variables& variables,
                                    std::string_view input, const std::string& netns) {
  ProcessSpec spec;
  spec.argv = {executable};
  spec.env = to_strings(variables);
  spec.netns = netns;
  CNI_ASSIGN(Output output, run_process(std::move(spec), input));
  (void)write_all(STDERR_FILENO, output.err, "stderr");  // lost logs change nothing
  if (output.status != 0) return CniFailure(printed_error(executable, output));
  return std::move(output.out);
}

}  // namespace weft::cni
