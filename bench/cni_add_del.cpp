// SPDX-License-Identifier: Apache-2.0
//
// The claim: a pod is wired (CNI ADD) and unwired (DEL) in a fraction of the time that Debian's
// containernetworking-plugins need for the same network configuration, called the same way: exec
// of `bridge`, which execs `host-local`.
//
// Fair turns: who begins alternates; a call starts when the kernel is done with the one before (it
// frees links and namespaces in the background, one at a time); and the pods' namespaces stay to
// the end, since removing them is the runtime's part. What a plugin leaves running when it has
// answered is waited for and told as well.
// Usage: cni_add_del WEFT_PLUGINS REFERENCE_PLUGINS [ROUNDS]
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "linux/process.h"
#include "report.h"

namespace {

using weft::bench::PrivateNetns;
using weft::bench::Samples;
using weft::bench::value_or_exit;

constexpr std::chrono::milliseconds kRest{50};  // an RCU barrier takes 5 to 40

// Processes that a plugin left come to us when it ends.
void wait_for_left_behind() {
  while (::wait(nullptr) > 0 || errno == EINTR) {
  }
}

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
    const PrivateNetns& pod = pods_.emplace_back(value_or_exit(PrivateNetns::create()));
    std::this_thread::sleep_for(kRest);
    add_.measure([&] { call("ADD", number, pod); });
    wait_for_left_behind();
    std::this_thread::sleep_for(kRest);
    whole_delete_.measure([&] {
      delete_.measure([&] { call("DEL", number, pod); });
      wait_for_left_behind();
    });
    std::this_thread::sleep_for(kRest);
  }
  const Samples& add() const { return add_; }
  const Samples& del() const { return delete_; }
  const Samples& whole_del() const { return whole_delete_; }
  void print() const {
    weft::bench::print((name_ + " ADD").c_str(), add_);
    weft::bench::print((name_ + " DEL").c_str(), delete_);
    weft::bench::print((name_ + " DEL and what it leaves running").c_str(), whole_delete_);
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
  std::vector<PrivateNetns> pods_{};
  Samples add_{};
  Samples delete_{};
  Samples whole_delete_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: cni_add_del WEFT_PLUGINS REFERENCE_PLUGINS [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 60;
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) std::perror("bench: become a reaper");
  Contestant weft("weft", argv[1]);
  Contestant reference("reference", argv[2]);
  std::printf("CNI bridge + host-local by exec, one pod after another, %d rounds in turn\n",
              rounds);
  for (int number = 0; number < rounds; ++number) {
    Contestant& first = number % 2 == 0 ? weft : reference;
    Contestant& second = number % 2 == 0 ? reference : weft;
    first.round(number);
    second.round(number);
  }
  weft.print();
  reference.print();
  weft::bench::print_ratio("ADD: weft / reference", weft.add(), reference.add());
  weft::bench::print_ratio("DEL: weft / reference", weft.del(), reference.del());
  weft::bench::print_ratio("... and what it leaves: weft / reference", weft.whole_del(),
                           reference.whole_del());
  return 0;
}
