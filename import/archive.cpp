#include "nngpcheck/import/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/files/unpack.hpp"
#include "nngpcheck/import/numbers_file.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::importer {

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_unpacked = std::size_t{1} << 30;
constexpr int known_version = 1;
constexpr std::size_t most_nodes = 100'000;
constexpr int deepest = 8;  // lists in lists in arguments

/// Reads one archive.
class Reader {
 public:
  Reader(const std::string& bytes, std::string name) : name_(std::move(name)) {
    if (!files::is_zip(bytes)) fail("it is no zip archive; write it with python -m nngpcheck.export");
    members_ = files::zip_contents(bytes, name_, most_unpacked);
  }

  Archive read() const {
    const auto model = members_.find("model.json");
    if (model == members_.end()) fail("it has no model.json; write it with python -m nngpcheck.export");
    const Json json = Json::parse(model->second, nullptr, false);
    if (json.is_discarded()) fail("model.json is no JSON; export the model again");
    try {
      return archive(json);
    } catch (const Json::exception& error) {
      fail(fmt::format("model.json does not have the form of version {} ({}); export the model again",
                       known_version, error.what()));
    }
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw InputError(name_ + ": " + problem); }

  Archive archive(const Json& json) const {
    if (!json.is_object() || json.value("format", "") != "nngp-factory") {
      fail("model.json is not of an nngpcheck archive; write it with python -m nngpcheck.export");
    }
    if (json.at("version") != known_version) {
      fail(
          fmt::format("it has version {}, and version {} can be read; export the model again, or update "
                      "nngpcheck",
                      json.at("version").dump(), known_version));
    }
    const Json& programs = json.at("programs");
    if (programs.size() != width_count) {
      fail(fmt::format("it has {} widths, and {} are needed; export the model again", programs.size(),
                       width_count));
    }
    std::vector<Numbers> examples;
    for (const Json& file : json.at("examples")) examples.push_back(numbers(file.get<std::string>()));
    Archive result;
    result.torch = json.value("torch", "");
    for (std::size_t i = 0; i < width_count; ++i) {
      result.graphs[i] = graph(programs[i], examples);
      if (i > 0 && result.graphs[i].n <= result.graphs[i - 1].n) fail("its widths do not increase");
    }
    return result;
  }

  Graph graph(const Json& json, const std::vector<Numbers>& examples) const {
    Graph result;
    result.n = json.at("n").get<std::int64_t>();
    if (result.n < 1 || result.n > 1'000'000) fail("its width n is not between 1 and 1000000");
    result.random = json.value("random", false);
    std::size_t given = 0;
    std::set<std::string> known;
    for (const Json& entry : json.at("inputs")) {
      result.inputs.push_back(input(entry, examples, given));
      if (!known.insert(result.inputs.back().name).second)
        fail("two inputs are called \"" + result.inputs.back().name + "\"");
    }
    if (json.at("nodes").size() > most_nodes)
      fail(fmt::format("it has {} operators; at most {} can be read", json.at("nodes").size(), most_nodes));
    for (const Json& entry : json.at("nodes")) {
      result.nodes.push_back(node(entry));
      require_known(entry.at("args"), known, result.nodes.back().name, deepest);
      if (!known.insert(result.nodes.back().name).second)
        fail("two results are called \"" + result.nodes.back().name + "\"");
    }
    for (const Json& entry : json.at("outputs")) {
      const auto ref = entry.at("ref").get<std::string>();
      if (!known.contains(ref)) fail("its output \"" + ref + "\" is computed nowhere");
      result.outputs.emplace_back(ref, numbers(entry.at("data").get<std::string>()));
    }
    if (result.outputs.empty()) fail("the model has no output tensor");
    return result;
  }

  GraphInput input(const Json& json, const std::vector<Numbers>& examples, std::size_t& given) const {
    GraphInput result;
    result.name = json.at("name").get<std::string>();
    result.target = json.at("target").is_string() ? json.at("target").get<std::string>() : result.name;
    result.given = json.at("kind") == "user_input";
    result.constant = json.at("kind") == "constant_tensor";
    const auto shape = json.at("shape").get<std::vector<std::int64_t>>();
    if (result.given) {
      if (given >= examples.size()) fail("an example input is missing for \"" + result.name + "\"");
      result.numbers = examples[given++];
    } else {
      result.numbers = numbers(json.at("data").get<std::string>());
      result.law = law(json.at("law"), result.numbers.values.size());
      if (json.at("same_as").is_string()) result.same_as = json.at("same_as").get<std::string>();
      result.shares_with = json.at("shares_with").get<std::vector<std::string>>();
    }
    const bool constant = !result.given && result.law.kind == Law::Kind::constant;  // masks may hold -inf
    for (const double value : result.numbers.values)
      if (!constant && !std::isfinite(value))
        fail("\"" + result.target + "\" holds a number that is not finite");
    if (result.numbers.shape != shape)
      fail("\"" + result.target + "\" has another shape in model.json than its file; export the model again");
    return result;
  }

  Law law(const Json& json, std::size_t entries) const {
    static const std::map<std::string, Law::Kind> kinds = {
        {"constant", Law::Kind::constant}, {"normal", Law::Kind::normal},
        {"uniform", Law::Kind::uniform},   {"truncated_normal", Law::Kind::truncated_normal},
        {"mixed", Law::Kind::mixed},       {"unknown", Law::Kind::unknown}};
    const auto name = json.at("dist").get<std::string>();
    const auto kind = kinds.find(name);
    if (kind == kinds.end()) fail("the law \"" + name + "\" is not known; update nngpcheck");
    Law result;
    result.kind = kind->second;
    const auto number = [&](const char* key) {
      const double value = json.at(key).get<double>();
      if (!std::isfinite(value)) fail("the law \"" + name + "\" has a number that is not finite");
      return value;
    };
    if (result.kind == Law::Kind::normal || result.kind == Law::Kind::truncated_normal) {
      result.mean = number("mean");
      result.deviation = number("std");
      if (result.deviation < 0) fail("a normal law has a negative standard deviation");
    }
    if (result.kind == Law::Kind::uniform || result.kind == Law::Kind::truncated_normal) {
      result.low = number("low");
      result.high = number("high");
      if (result.low > result.high) fail("the law \"" + name + "\" has no interval");
    }
    if (result.kind == Law::Kind::mixed) {
      for (const Json& part : json.at("laws")) result.laws.push_back(law(part, 0));
      for (const double value : numbers(json.at("map").get<std::string>()).values) {
        if (value < 0 || value >= static_cast<double>(result.laws.size()))
          fail("a map of laws names one that is not there");
        result.map.push_back(static_cast<std::uint8_t>(value));
      }
      if (result.map.size() != entries) fail("a map of laws has another size than its parameter");
    }
    if (result.kind == Law::Kind::unknown) result.reason = json.value("reason", "");
    return result;
  }

  GraphNode node(const Json& json) const {
    GraphNode result;
    result.name = json.at("name").get<std::string>();
    result.op = json.at("op").get<std::string>();
    result.arguments = json.at("args");
    if (!result.arguments.is_object()) fail("the arguments of \"" + result.name + "\" have no names");
    for (const Json& type : json.at("types")) {
      result.shapes.emplace_back();
      if (!type.is_null()) result.shapes.back() = type.at("shape").get<std::vector<std::int64_t>>();
    }
    result.place = json.value("at", "");
    result.module = json.value("module", "");
    return result;
  }

  /// Every tensor that an argument names has been made before.
  void require_known(const Json& argument, const std::set<std::string>& known, const std::string& by,
                     int depth) const {
    if (depth == 0) fail("the arguments of \"" + by + "\" nest too deeply");
    if (argument.is_object() && argument.contains("ref")) {
      const auto ref = argument.at("ref").get<std::string>();
      if (!known.contains(ref))
        fail("\"" + by + "\" reads \"" + ref + "\", which is computed nowhere before");
    } else if (argument.is_structured()) {
      for (const Json& part : argument) require_known(part, known, by, depth - 1);
    }
  }

  Numbers numbers(const std::string& member) const {
    const auto found = members_.find(member);
    if (found == members_.end()) fail("it lacks the file " + member + "; export the model again");
    return parse_numbers(name_ + ":" + member, found->second);
  }

  std::string name_;
  std::map<std::string, std::string> members_;
};

}  // namespace

std::string Law::name() const {
  static const char* const names[] = {"constant",         "normal", "uniform",
                                      "truncated_normal", "mixed",  "unknown"};
  return names[static_cast<int>(kind)];
}

bool Law::is_normal() const {
  constexpr double far = 8;  // deviations
  return kind == Kind::normal ||
         (kind == Kind::truncated_normal && std::min(mean - low, high - mean) > far * deviation);
}

double Law::expectation() const {
  if (kind == Kind::normal) return mean;
  if (kind == Kind::uniform) return (low + high) / 2;
  if (kind != Kind::truncated_normal) return 0;
  const auto density = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846); };
  const auto tail = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  const double a = (low - mean) / deviation, b = (high - mean) / deviation;
  return mean + deviation * (density(a) - density(b)) / (tail(b) - tail(a));
}

double Law::variance() const {
  if (kind == Kind::normal) return deviation * deviation;
  if (kind == Kind::uniform) return (high - low) * (high - low) / 12;
  if (kind != Kind::truncated_normal) return 0;
  const auto density = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846); };
  const auto tail = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  const double a = (low - mean) / deviation, b = (high - mean) / deviation, z = tail(b) - tail(a);
  const double shift = (density(a) - density(b)) / z;
  return deviation * deviation * (1 + (a * density(a) - b * density(b)) / z - shift * shift);
}

bool is_archive(const std::filesystem::path& file) { return file.extension() == ".nngp"; }

Archive read_archive(const std::filesystem::path& file) {
  return parse_archive(files::read_file(file), file.string());
}

Archive parse_archive(const std::string& bytes, const std::string& name) {
  return Reader(bytes, name).read();
}

}  // namespace nngpcheck::importer
