// SPDX-License-Identifier: Apache-2.0
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

#include "agent/control_message.h"
#include "agent/control_server.h"
#include "agent/control_socket.h"
#include "agent/report.h"
#include "loop/timer.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;

TEST(ControlMessage, RequestsRoundTripAndErrorsNameTheField) {
  EXPECT_EQ(encode_request("status"), R"({"method":"status"})");
  EXPECT_EQ(decode_request(R"({"method":"verify"})").value(), "verify");
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"", "the request is not a JSON object"},
           {"[]", "the request is not a JSON object"},
           {"{}", "the request has no method"},
           {R"({"method":7})", "method: 7 is not a string"},
           {R"({"method":"x","extra":1})", "unknown field \"extra\""}}) {
    const auto result = decode_request(text);
    EXPECT_EQ(result ? "(accepted)" : result.error().message, message) << text;
  }
}

TEST(ControlMessage, ResponsesRoundTrip) {
  EXPECT_EQ(decode_response(encode_response(std::string(R"({"a":1})"))).value(), R"({"a":1})");
  const auto refused = decode_response(encode_response(fail("no \"such\" method\n")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no \"such\" method\n");
  for (const char* text : {"", "{", "[]", "{}", R"({"ok":1})", R"({"ok":true})", R"({"ok":false})"})
    EXPECT_FALSE(decode_response(text)) << text;
}

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-test-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/run/agent.sock";
  }
  ~ControlTest() override { std::filesystem::remove_all(directory_); }

  void listen(Admission admit = is_root) {
    auto server = ControlServer::listen(
        loop_, path_, std::move(admit),
        [this](const std::string& method, Reply reply) { handle(method, std::move(reply)); });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  virtual void handle(const std::string& method, Reply reply) {
    if (method == "echo") return reply(std::string("{\"echo\":true}"));
    if (method == "verify") return reply(verified_);
    if (method == "large") return reply("\"" + std::string(4'000'000, 'x') + "\"");
    if (method == "later") {
      later_ = std::move(reply);
      timer_.arm(loop::Loop::now() + 10ms);
      return;
    }
    reply(fail("unknown method \"" + method + "\""));
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

  Result<std::string> ask(const std::string& method) {
    return serve([&]() -> Result<std::string> { return ask_agent(path_, method, 5s); });
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

  std::string directory_{};
  std::string path_{};
  std::string verified_{};
  loop::Loop loop_ = loop::Loop::open().value();
  Reply later_{};
  loop::Timer timer_{loop_, [this] { later_(std::string("\"late\"")); }};
  std::function<void(loop::Timer&)> poll_again_{};
  std::unique_ptr<ControlServer> server_{};
};

TEST_F(ControlTest, AnswersAtOnceAndLater) {
  listen();
  EXPECT_EQ(ask("echo").value(), R"({"echo":true})");
  EXPECT_EQ(ask("later").value(), R"("late")");
}

TEST_F(ControlTest, AnswerLargerThanTheSocketsBufferArrivesWhole) {
  listen();
  EXPECT_EQ(ask("large").value().size(), 4'000'002U);
}

TEST_F(ControlTest, HandlersErrorReachesTheCaller) {
  listen();
  const auto result = ask("nonsense");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "unknown method \"nonsense\"");
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
  EXPECT_EQ(raw(std::string(2 * kLongestRequest, 'x'), 99),
            "{\"error\":\"the request is too long\",\"ok\":false}\n");
}

TEST_F(ControlTest, PeerThatGoesAwayTakesItsAnswerAlong) {
  listen();
  serve([&] {
    const UniqueFd fd = connect_to(path_).value();
    const std::string request = encode_request("later") + "\n";
    return ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  });
  EXPECT_EQ(ask("later").value(), R"("late")");  // the first one's answer went nowhere
}

TEST_F(ControlTest, CredentialsAreTheKernelsAndOnlyRootIsAdmitted) {
  ucred seen{};
  listen([&](const ucred& peer) {
    seen = peer;
    return is_root(peer);
  });
  static_cast<void>(ask("echo"));
  EXPECT_EQ(seen.uid, ::geteuid());
  EXPECT_EQ(seen.pid, ::getpid());
  EXPECT_TRUE(is_root({.pid = 1, .uid = 0, .gid = 1000}));
  EXPECT_FALSE(is_root({.pid = 1, .uid = 1000, .gid = 0}));
}

TEST_F(ControlTest, PeerThatIsNotAdmittedGetsOneSentenceAndNothingElse) {
  listen([](const ucred&) { return false; });
  const auto result = ask("echo");
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
  {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    const sockaddr_un address = socket_address(stale);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
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

// As the kernel takes a killed agent apart: it accepts, and hangs up.
TEST_F(ControlTest, SocketOfAnAgentThatIsDyingIsReplaced) {
  std::filesystem::create_directories(directory_ + "/run");
  UniqueFd dying(::socket(AF_UNIX, SOCK_STREAM, 0));
  const sockaddr_un address = socket_address(path_);
  ASSERT_EQ(::bind(dying.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(dying.get(), 1), 0);
  std::thread end([&] {
    const UniqueFd accepted(::accept(dying.get(), nullptr, nullptr));
    dying.reset();
  });
  EXPECT_TRUE(ControlServer::listen(loop_, path_, is_root, {}));
  end.join();
}

TEST_F(ControlTest, NoAgentIsOneClearSentence) {
  const auto result = ask_agent(path_, "status");
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
  const auto result = ask_agent(path_, "echo", 20ms, waiting);
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
  EXPECT_EQ(ask_agent(path_, "echo", 20ms).error().message,
            "the agent at " + path_ + " did not answer within 20 ms");
}

TEST_F(ControlTest, AnswerThatComesInTimeIsNotWaitedForAloud) {
  listen();
  const auto asked = serve([&]() -> Result<std::string> {
    return ask_agent(path_, "echo", 5s, {5s, [](const std::string&) { ADD_FAILURE(); }});
  });
  EXPECT_TRUE(asked);
}

// It was stopped, or uninstalled by somebody else meanwhile: which, nobody can tell any more.
TEST_F(ControlTest, AgentThatEndsBeforeItAnswersAnUninstallIsNotCertainlyUninstalled) {
  std::filesystem::create_directories(directory_ + "/run");
  UniqueFd dying(::socket(AF_UNIX, SOCK_STREAM, 0));
  const sockaddr_un address = socket_address(path_);
  ASSERT_EQ(::bind(dying.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(dying.get(), 1), 0);
  std::thread end([&] {
    const UniqueFd accepted(::accept(dying.get(), nullptr, nullptr));
    dying.reset();
  });
  const auto done = uninstall_agent(path_, 5s);
  end.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "the agent at " + path_ +
                " ended before it answered, and whether something is left is not known (see its "
                "log); start it and uninstall again");
}

}  // namespace
}  // namespace weft::agent
