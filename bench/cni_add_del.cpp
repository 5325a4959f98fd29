// SPDX-License-Identifier: Apache-2.0
//
// The claim: a pod is wired (CNI ADD) and unwired (DEL) in a fraction of the time that Debian's
// containernetworking-plugins need for the same network configuration, called the same way: exec
// of `bridge`, which execs `host-local`.
// Usage: cni_add_del WEFT_PLUGINS REFERENCE_PLUGINS [ROUNDS]
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "linux/process.h"
#include "report.h"

namespace {

using weft::bench::PrivateNetns;
using weft::bench::Samples;
using weft::bench::value_or_exit;

// A node of its own (namespace and address store) whose pods one set of plugins wires.
class Contestant {
 public:
  Contestant(std::string name, std::string plugins)
      : name_(std::move(name)),
        plugins_(std::move(plugins)),
        store_(std::filesystem::temp_directory_path() /
               ("weft-bench-" + std::to_string(getpid()) + "-" + name_)) {}
  ~Contestant() { std::filesystem::remove_all(store_); }
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;

  void round(int number) {
    const PrivateNetns pod = value_or_exit(PrivateNetns::create());
    add_.measure([&] { call("ADD", number, pod); });
    delete_.measure([&] { call("DEL", number, pod); });
  }
  const Samples& add() const { return add_; }
  const Samples& del() const { return delete_; }
  void print() const {
    weft::bench::print((name_ + " ADD").c_str(), add_);
    weft::bench::print((name_ + " DEL").c_str(), delete_);
  }

 private:
  void call(const char* command, int number, const PrivateNetns& pod) {
    weft::ProcessSpec spec;
    spec.argv = {plugins_ + "/bridge"};
    spec.env = {std::string("CNI_COMMAND=") + command,
                "CNI_CONTAINERID=bench" + std::to_string(number),
                "CNI_NETNS=" + pod.path(),
                "CNI_IFNAME=eth0",
                "CNI_PATH=" + plugins_,
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    spec.netns = node_.path();
    const weft::Output output = value_or_exit(weft::run_process(std::move(spec), configuration_));
    if (output.status == 0) return;
    std::fprintf(stderr, "bench: %s %s: exit %d: %s%s\n", name_.c_str(), command, output.status,
                 output.out.c_str(), output.err.c_str());
    std::exit(1);
  }

  std::string name_;
  std::string plugins_;
  std::filesystem::path store_;
  PrivateNetns node_ = value_or_exit(PrivateNetns::create());
  std::string configuration_ =
      R"({"cniVersion":"1.0.0","name":"bench","type":"bridge","bridge":"cni0","isGateway":true,)"
      R"("hairpinMode":true,"mtu":1450,"ipam":{"type":"host-local","dataDir":")" +
      store_.string() +
      R"(","ranges":[[{"subnet":"10.244.1.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}})";
  Samples add_{};
  Samples delete_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: cni_add_del WEFT_PLUGINS REFERENCE_PLUGINS [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 60;
  Contestant weft("weft", argv[1]);
  Contestant reference("reference", argv[2]);
  std::printf("CNI bridge + host-local by exec, one pod after another, %d rounds in turn\n",
              rounds);
  for (int number = 0; number < rounds; ++number) {
    weft.round(number);
    reference.round(number);
  }
  weft.print();
  reference.print();
  weft::bench::print_ratio("ADD: weft / reference", weft.add(), reference.add());
  weft::bench::print_ratio("DEL: weft / reference", weft.del(), reference.del());
  return 0;
}
