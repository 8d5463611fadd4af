#include "nngpcheck/compare/report/junit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nngpcheck/compare/report/text.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"

namespace nngpcheck::compare {

namespace {

std::string outcome(const NamedResult& named) {
  const CheckResult& result = named.result;
  if (result.verdict == Verdict::agree) {
    return fmt::format("    <system-out>{}</system-out>\n", xml_escaped(verdict_text(named.name, result)));
  }
  const char* element = result.verdict == Verdict::disagree ? "failure" : "error";
  return fmt::format("    <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", element, to_string(result.verdict),
                     xml_escaped(verdict_text(named.name, result)), xml_escaped(to_json(result).dump(1)));
}

}  // namespace

std::string junit(const std::vector<NamedResult>& results) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(results.begin(), results.end(),
                         [&](const NamedResult& named) { return named.result.verdict == verdict; });
  };
  double seconds = 0;
  for (const NamedResult& named : results) seconds += named.result.seconds.value_or(0);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites>\n"
      "  <testsuite name=\"nngpcheck\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\">\n",
      results.size(), count(Verdict::disagree), count(Verdict::inconclusive), seconds);
  for (const NamedResult& named : results) {
    text += fmt::format("   <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n{}   </testcase>\n",
                        xml_escaped(named.file), xml_escaped(named.name), named.result.seconds.value_or(0),
                        outcome(named));
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace nngpcheck::compare
