#include "nngpcheck/compare/report/report.hpp"

#include <cmath>
#include <cstdlib>
#include <set>

#include "nngpcheck/compare/statistics/standard_errors_off.hpp"
#include "scratch.hpp"
#include "xml.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

const kernels::Kernel kernel = {MatrixXd{{2, 1}, {1, 2}},
                                MatrixXd::Zero(2, 2),
                                MatrixXd::Constant(2, 2, 1e-15),
                                0,
                                {"<b>&\"'the' \x01 😀", "dog"},
                                {},
                                "test"};

ExperimentReport experiment(const std::string& name) {
  return {
      .summary = summarize(name, {32, 64}, {{0.5, 0.3}, {0.2, 0.2}}), .description = {}, .kernel = kernel};
}

/// Everything there is to know.
ExperimentReport full(const std::string& name) {
  ExperimentReport result = experiment(name);
  result.description = {{"name", name}, {"sweep", {{"seed", 17}}}};
  result.widest = {MatrixXd{{2.3, 1}, {1, 2}}, MatrixXd::Constant(2, 2, 0.1), {}, 5};
  result.verdict = {"disagree", "p < 1e-9"};
  result.summary.gaussianity = {{{32, 5, {0.25, 0.1, {0.125, 0.375}}, {0.5, 0.1, {0.375, 0.75}}}}, {}, {}};
  result.summary.watched = {"<here>"};
  result.plan = "the plan <i>";
  result.program = "x1 := erf(g0)";
  return result;
}

class Reports : public Scratch {
 protected:
  /// The page, as XML.
  Xml page(const Report& report) const {
    EXPECT_EQ(write_report(report, folder_), "");
    return parse_xml(read(folder_ / "report.html"));
  }
};

TEST_F(Reports, AreWellFormedAndNeedNothingElse) {
  const Xml xml = page({{full("a"), full("b")}, {{"command", "nngpcheck run 'a&b.toml'"}}});
  EXPECT_EQ(xml.error, "");
  EXPECT_THAT(external_references(xml), IsEmpty());
  EXPECT_EQ(xml.count("img"), 7);
  const auto ids = xml.attributes("id");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  for (const std::string& reference : xml.attributes("href")) EXPECT_THAT(ids, Contains(reference.substr(1)));
}

TEST_F(Reports, SayWhatIsKnown) {
  const std::string text =
      page({{full("a")}, {{"command", "nngpcheck run a.toml"}, {"machine", {{"cores", 2}}}}}).text;
  for (const char* part :
       {"not evidence that K is right", "disagree", "p < 1e-9; slope −", "4.00 · 10⁻¹",
        "up to 3.0 standard errors beyond its error bound and rounding", "mean Kₙ of 5 networks, n = 64",
        "Excess kurtosis", "1.25 · 10⁻¹ to 3.75 · 10⁻¹", "for the inputs <here>", "the plan <i>",
        "x1 := erf(g0)", "nngpcheck run a.toml", "cores", "seed of a", "17"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(read(folder_ / "report.md"), AllOf(HasSubstr("](difference_a.png)"), HasSubstr("**disagree**"),
                                                 Not(HasSubstr("nngpcheck run"))));
}

TEST_F(Reports, LeaveOutWhatIsNot) {
  const Xml xml = page({{experiment("a")}, {}});
  EXPECT_EQ(xml.error, "");
  EXPECT_EQ(xml.count("img"), 2);
  for (const char* part :
       {"agree", "standard errors", "kurtosis", "How the limit", "The program", "Every setting", "seed of"})
    EXPECT_THAT(xml.text.substr(xml.text.find("Random networks")), Not(HasSubstr(part)));
  EXPECT_FALSE(fs::exists(folder_ / "difference_a.svg"));
}

TEST_F(Reports, AreTheSameForTheSame) {
  const Report report{{full("a")}, {{"command", "nngpcheck run a.toml"}}};
  write_report(report, folder_);
  const std::string html = read(folder_ / "report.html"), markdown = read(folder_ / "report.md");
  write_report(report, folder_);
  EXPECT_EQ(read(folder_ / "report.html"), html);
  EXPECT_EQ(read(folder_ / "report.md"), markdown);
  Report other = report;
  other.experiments[0].widest->value(0, 0) += 0.5;
  write_report(other, folder_);
  EXPECT_NE(read(folder_ / "report.html"), html);
}

TEST_F(Reports, HoldThePredictionAgainstTheNetworks) {
  ExperimentReport result = full("a");
  Prediction predicted;
  predicted.relative_c = 13;
  predicted.relative_c_standard_error = 0.125;
  predicted.marginal_excess_kurtosis = 4;
  predicted.widths = {{32, 13. / 32, {0.3, 0.5}, false}, {64, 13. / 64, {0.15, 0.25}, true}};
  result.summary.predicted = predicted;
  const std::string text = page({{result}, {}}).text;
  for (const char* part : {"without a free parameter", "32 *", "they do not count", "0.985", "13.000 ± 0.125",
                           "Dashed lines", "predicted, single", "1.25 · 10⁻¹", "measured/predicted 0.985"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  result.summary.predicted->widths[0].holds = true;
  EXPECT_THAT(page({{result}, {}}).text, Not(HasSubstr("they do not count")));
  result.summary.predicted = Prediction{.none = "no second moment"};
  EXPECT_THAT(page({{result}, {}}).text,
              AllOf(HasSubstr("The finite-width law predicts nothing here: no second moment."),
                    Not(HasSubstr("Dashed lines")), Not(HasSubstr("predicted, single"))));
}

TEST_F(Reports, CutLongListings) {
  ExperimentReport result = experiment("a");
  for (int k = 1; k <= 200; ++k) result.plan += "line " + std::to_string(k) + ".\n";
  EXPECT_THAT(page({{result}, {}}).text,
              AllOf(HasSubstr("line 150."), Not(HasSubstr("line 151.")),
                    HasSubstr("… and 50 lines more; nngpcheck show --plan prints all")));
}

TEST_F(Reports, AreSmallForLargeKernels) {
  ExperimentReport result = experiment("a");
  const Eigen::Index size = 300;
  const MatrixXd random = MatrixXd::Random(size, size);
  result.kernel = {random * random.transpose(),
                   MatrixXd::Zero(size, size),
                   MatrixXd::Zero(size, size),
                   0,
                   std::vector<std::string>(size, "label"),
                   {},
                   "test"};
  result.widest = {result.kernel.value + random, MatrixXd::Ones(size, size), {}, 5};
  EXPECT_EQ(page({{result}, {}}).error, "");
  EXPECT_LT(fs::file_size(folder_ / "report.html"), 700'000u);
  EXPECT_THAT(read(folder_ / "report.md"), HasSubstr("rows and columns 0, 2, 4, …"));
}

TEST_F(Reports, DoWithoutGnuplot) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder_.c_str(), 1);
  const std::string warning = write_report({{full("a")}, {}}, folder_);
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(warning, HasSubstr("gnuplot-nox"));
  const Xml xml = parse_xml(read(folder_ / "report.html"));
  EXPECT_EQ(xml.error, "");
  EXPECT_EQ(xml.count("img"), 0);
  EXPECT_THAT(read(folder_ / "report.md"), Not(HasSubstr(".png")));
}

TEST(StandardErrorsOff, CombineBothErrors) {
  kernels::Kernel limit = kernel;
  limit.standard_error(0, 1) = 4;
  const MatrixXd off = standard_errors_off({MatrixXd{{3, 11}, {1, 2}}, MatrixXd{{0.5, 3}, {1, 0}}, {}, 5},
                                           limit, Precision::float64);
  EXPECT_NEAR(off(0, 0), 2, 1e-9);
  EXPECT_NEAR(off(0, 1), 2, 1e-9);
  EXPECT_EQ(off(1, 0), 0);
  EXPECT_EQ(off(1, 1), 0);
}

// As of a transformer that ends in layer norm: a unit diagonal, up to rounding.
TEST(StandardErrorsOff, AreBeyondTheErrorBoundAndRounding) {
  kernels::Kernel limit = kernel;
  limit.value = MatrixXd{{1, 0.5}, {0.5, 1}};
  limit.error_bound(0, 1) = limit.error_bound(1, 0) = 0.1;
  const auto off = [&](const MatrixXd& mean, double standard_error, Precision precision) {
    return standard_errors_off({mean, MatrixXd::Constant(2, 2, standard_error), {}, 5}, limit, precision);
  };
  const MatrixXd rounded{{1 + 3e-16, 0.59}, {0.41, 1 - 3e-16}};
  EXPECT_TRUE(off(rounded, 2e-17, Precision::float64).isZero(0));
  EXPECT_TRUE(off(rounded, 0, Precision::float64).isZero(0));
  const MatrixXd wrong{{1 + 1e-6, 0.7}, {0.5, 1}};
  EXPECT_NEAR(off(wrong, 0.01, Precision::float64)(0, 1), 10, 1e-6);
  EXPECT_EQ(off(wrong, 0, Precision::float64)(0, 0), INFINITY);
  EXPECT_EQ(off(wrong, 0, Precision::float32)(0, 0), 0);
}

TEST_F(Reports, SayWhereNetworksDoNotFluctuate) {
  ExperimentReport result = full("a");
  result.widest->standard_error.setZero();
  EXPECT_THAT(page({{result}, {}}).text,
              HasSubstr("differs from K by more than its error bound and rounding at (<b>"));
  result.widest->value = kernel.value;
  EXPECT_THAT(page({{result}, {}}).text,
              HasSubstr("differs from K by no more than its error bound and rounding."));
}

}  // namespace
}  // namespace nngpcheck::compare
