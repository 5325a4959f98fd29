// SPDX-License-Identifier: Apache-2.0
#include "agent/control_server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "agent/report.h"
#include "base/temporary_directory.h"
#include "control/client.h"
#include "control/unix_address.h"
#include "loop/timer.h"

namespace weft::agent {
namespace {

using control::ask_agent;
using control::connect_to;
using control::Request;
using control::Waiting;
using namespace std::chrono_literals;

UniqueFd bound_socket(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = *control::unix_address(path);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// As the kernel takes a killed agent apart: it accepts one client, and hangs up.
class DyingAgent {
 public:
  explicit DyingAgent(const std::string& path) : socket_(bound_socket(path)) {
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    end_ = std::thread([this] {
      const UniqueFd accepted(::accept(socket_.get(), nullptr, nullptr));
      socket_.reset();
    });
  }
  DyingAgent(const DyingAgent&) = delete;
  DyingAgent& operator=(const DyingAgent&) = delete;
  ~DyingAgent() { end_.join(); }

 private:
  UniqueFd socket_;
  std::thread end_{};
};

class ControlTest : public testing::Test {
 protected:
  void listen(Admission admit = is_root) {
    auto server = ControlServer::listen(loop_, path_, std::move(admit), methods());
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  std::vector<ControlMethod> methods() {
    using control::Parameter;
    const auto answers = [](std::string text) {
      return [text = std::move(text)](const Request&, const Reply& reply) { reply(text); };
    };
    return {
        {"echo", {}, answers(R"({"echo":true})")},
        {"large", {}, answers("\"" + std::string(4'000'000, 'x') + "\"")},
        {"verify", {}, [this](const Request&, const Reply& reply) { reply(verified_); }},
        {"fail", {}, [](const Request&, const Reply& reply) { reply(fail("it failed")); }},
        {"greet",
         {{"whom", Parameter::Type::kString, true}, {"loudly", Parameter::Type::kBoolean, false}},
         [](const Request& request, const Reply& reply) {
           reply("\"" + *control::string_in(request, "whom") +
                 (control::boolean_in(request, "loudly") ? "!\"" : "\""));
         }},
        {"later", {}, [this](const Request&, Reply reply) {
           later_ = std::move(reply);
           timer_.arm(loop::Loop::now() + 10ms);
         }}};
  }

  // Runs `client` on a thread of its own while this one serves.
  template <class Client>
  auto serve(Client client) {
    decltype(client()) result;
    std::atomic<bool> done = false;
    std::thread thread([&] {
      result = client();
      done = true;
    });
    loop::Timer poll(loop_, [&] {
      if (done) return loop_.stop();
      poll_again_(poll);
    });
    poll_again_ = [](loop::Timer& timer) { timer.arm(loop::Loop::now() + 1ms); };
    poll.arm(loop::Loop::now());
    loop_.run();
    thread.join();
    return result;
  }

  Result<std::string> ask(const Request& request) {
    return serve([&]() -> Result<std::string> { return ask_agent(path_, request, 5s); });
  }

  // What the server sends back for these raw bytes until it closes, or `lines` lines have come.
  std::string raw(const std::string& bytes, int lines) {
    return serve([&] {
      const UniqueFd fd = connect_to(path_).value();
      EXPECT_GT(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
      std::string got;
      char c = 0;
      while (lines > 0 && ::recv(fd.get(), &c, 1, 0) == 1) {
        got += c;
        if (c == '\n') --lines;
      }
      return got;
    });
  }

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
  const std::string path_ = directory_ + "/run/agent.sock";
  std::string verified_{};
  loop::Loop loop_ = loop::Loop::open().value();
  Reply later_{};
  loop::Timer timer_{loop_, [this] { later_(std::string("\"late\"")); }};
  std::function<void(loop::Timer&)> poll_again_{};
  std::unique_ptr<ControlServer> server_{};
};

TEST_F(ControlTest, AnswersAtOnceAndLater) {
  listen();
  EXPECT_EQ(ask({"echo"}).value(), R"({"echo":true})");
  EXPECT_EQ(ask({"later"}).value(), R"("late")");
}

TEST_F(ControlTest, AnswerLargerThanTheSocketsBufferArrivesWhole) {
  listen();
  EXPECT_EQ(ask({"large"}).value().size(), 4'000'002U);
}

TEST_F(ControlTest, AMethodsErrorReachesTheCaller) {
  listen();
  EXPECT_EQ(ask({"fail"}).error().message, "it failed");
}

TEST_F(ControlTest, ParametersReachTheirMethod) {
  listen();
  EXPECT_EQ(ask({"greet", {{"whom", "world"}, {"loudly", true}}}).value(), R"("world!")");
  EXPECT_EQ(ask({"greet", {{"whom", "world"}}}).value(), R"("world")");
}

TEST_F(ControlTest, WhatIsNotDeclaredReachesNone) {
  listen();
  const auto refusal = [&](const Request& request) { return ask(request).error().message; };
  EXPECT_EQ(refusal({"nonsense"}),
            "unknown method \"nonsense\" (echo, large, verify, fail, greet, later)");
  EXPECT_EQ(refusal({"greet"}), "greet: whom is required, a string");
  EXPECT_EQ(refusal({"greet", {{"whom", true}}}), "greet: whom: true is not a string");
  EXPECT_EQ(refusal({"echo", {{"whom", "world"}}}),
            "echo: unknown parameter \"whom\" (it takes none)");
}

TEST_F(ControlTest, RequestsOnOneConnectionAreAnsweredInOrder) {
  listen();
  EXPECT_EQ(raw("{\"method\":\"later\"}\n{\"method\":\"echo\"}\nnonsense\n", 3),
            "{\"ok\":true,\"result\":\"late\"}\n"
            "{\"ok\":true,\"result\":{\"echo\":true}}\n"
            "{\"error\":\"the request is not a JSON object\",\"ok\":false}\n");
}

TEST_F(ControlTest, RequestWithoutEndIsRefused) {
  listen();
  EXPECT_EQ(raw(std::string(2 * control::kLongestRequest, 'x'), 99),
            "{\"error\":\"the request is too long\",\"ok\":false}\n");
}

TEST_F(ControlTest, PeerThatGoesAwayTakesItsAnswerAlong) {
  listen();
  serve([&] {
    const UniqueFd fd = connect_to(path_).value();
    const std::string request = control::encode(Request{"later"}) + "\n";
    return ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  });
  EXPECT_EQ(ask({"later"}).value(), R"("late")");  // the first one's answer went nowhere
}

TEST_F(ControlTest, CredentialsAreTheKernelsAndOnlyRootIsAdmitted) {
  ucred seen{};
  listen([&](const ucred& peer) {
    seen = peer;
    return is_root(peer);
  });
  static_cast<void>(ask({"echo"}));
  EXPECT_EQ(seen.uid, ::geteuid());
  EXPECT_EQ(seen.pid, ::getpid());
  EXPECT_TRUE(is_root({.pid = 1, .uid = 0, .gid = 1000}));
  EXPECT_FALSE(is_root({.pid = 1, .uid = 1000, .gid = 0}));
}

TEST_F(ControlTest, PeerThatIsNotAdmittedGetsOneSentenceAndNothingElse) {
  listen([](const ucred&) { return false; });
  const auto result = ask({"echo"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "only root may ask the agent");
}

TEST_F(ControlTest, VerifyTellsWhatFailsAndThatRepairTriesNow) {
  listen();
  const auto text = [&] { return serve([&] { return report_verify(path_, false); }).text; };
  verified_ = R"({"ok":true,"drift":[],"failing":[]})";
  EXPECT_EQ(text(), "ok: the kernel is what the model says\n");
  const std::string drift =
      R"({"ok":false,"drift":[{"kind":"link","key":"weft.1","problem":"missing","desired":"",)"
      R"("actual":""}],"failing":[)";
  verified_ = drift + "]}";
  EXPECT_EQ(text(),
            "link  weft.1  missing\n"
            "1 difference; `weft verify --repair` mends them\n");
  verified_ = drift + R"("neighbor: weft.1: No such device"]})";
  EXPECT_EQ(text(),
            "link  weft.1  missing\n"
            "1 difference; the agent is failing, and tries again\n"
            "  neighbor: weft.1: No such device\n"
            "`weft verify --repair` reads and writes everything now\n");
}

TEST_F(ControlTest, SocketIsForItsOwnerAloneAndGoesWithTheServer) {
  listen();
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  server_.reset();
  EXPECT_NE(::stat(path_.c_str(), &info), 0);
}

TEST_F(ControlTest, SocketOfAKilledAgentIsReplacedButALivingOneIsNot) {
  listen();
  const auto second = serve([&] { return ControlServer::listen(loop_, path_, is_root, {}); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "control socket: another agent answers at " + path_);

  const std::string stale = directory_ + "/stale.sock";
  bound_socket(stale);
  EXPECT_TRUE(ControlServer::listen(loop_, stale, is_root, {}));
}

TEST_F(ControlTest, OneThatIsAboutToAnswerIsWaitedFor) {
  std::filesystem::create_directories(directory_ + "/run");
  auto first = FileLock::acquire(path_ + ".lock");
  ASSERT_TRUE(first);
  // It has the lock and no socket yet; then it is gone.
  std::atomic<bool> is_gone = false;
  std::thread end([&] {
    std::this_thread::sleep_for(50ms);
    is_gone = true;
    first = fail("gone");
  });
  EXPECT_TRUE(ControlServer::listen(loop_, path_, is_root, {}));
  EXPECT_TRUE(is_gone);
  end.join();
}

TEST_F(ControlTest, TheEndOfOneServerLeavesNothing) {
  listen();
  server_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/run"));
}

TEST_F(ControlTest, WhatIsNoSocketStays) {
  const std::string precious = directory_ + "/precious";
  std::ofstream(precious) << "x";
  const auto refused = ControlServer::listen(loop_, precious, is_root, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "control socket: " + precious + " exists and is no socket");
  EXPECT_TRUE(std::filesystem::is_regular_file(precious));
  EXPECT_FALSE(std::filesystem::exists(precious + ".lock"));
}

TEST_F(ControlTest, SocketOfAnAgentThatIsDyingIsReplaced) {
  std::filesystem::create_directories(directory_ + "/run");
  const DyingAgent dying(path_);
  EXPECT_TRUE(ControlServer::listen(loop_, path_, is_root, {}));
}

TEST_F(ControlTest, NoAgentIsOneClearSentence) {
  const auto result = ask_agent(path_, {"status"});
  ASSERT_FALSE(result);
  EXPECT_EQ(
      result.error().message,
      "no agent runs at " + path_ + " (is `weft agent` started, and is this its controlSocket?)");
}

TEST_F(ControlTest, AgentThatDoesNotAnswerIsGivenUp) {
  listen();
  // Nobody serves the loop: the kernel accepts, and that is all.
  std::vector<std::string> told;
  const Waiting waiting{10ms, [&](const std::string& sentence) { told.push_back(sentence); }};
  const auto result = ask_agent(path_, {"echo"}, 20ms, waiting);
  ASSERT_FALSE(result);
  const std::string agent =
      "the agent at " + path_ + " (pid " + std::to_string(::getpid()) + ", running)";
  EXPECT_EQ(result.error().message, agent + " did not answer within 20 ms");
  EXPECT_EQ(told, std::vector{agent + " has not answered for 10 ms; waiting up to 20 ms"});
}

TEST_F(ControlTest, AgentThatNoLongerAcceptsIsGivenUp) {
  listen();
  std::vector<UniqueFd> waiting;  // until the backlog is full
  while (auto fd = connect_to(path_, 20ms)) waiting.push_back(std::move(*fd));
  EXPECT_EQ(ask_agent(path_, {"echo"}, 20ms).error().message,
            "the agent at " + path_ + " did not answer within 20 ms");
}

TEST_F(ControlTest, AnswerThatComesInTimeIsNotWaitedForAloud) {
  listen();
  const auto asked = serve([&]() -> Result<std::string> {
    return ask_agent(path_, {"echo"}, 5s, {5s, [](const std::string&) { ADD_FAILURE(); }});
  });
  EXPECT_TRUE(asked);
}

// It was stopped, or uninstalled by somebody else meanwhile: which, nobody can tell any more.
TEST_F(ControlTest, AgentThatEndsBeforeItAnswersAnUninstallIsNotCertainlyUninstalled) {
  std::filesystem::create_directories(directory_ + "/run");
  const DyingAgent dying(path_);
  const auto done = control::uninstall_agent(path_, 5s);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "the agent at " + path_ +
                " ended before it answered, and whether something is left is not known (see its "
                "log); start it and uninstall again");
}

}  // namespace
}  // namespace weft::agent
