package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The poms, as those who depend on Windhover and Maven Central see them. */
class PublishedTest {
  private static final XPath XPATH = XPathFactory.newInstance().newXPath();

  private static Document pom(String folder) throws Exception {
    Path file = Repository.root().resolve(folder, "pom.xml");
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
  }

  private static List<String> texts(Document pom, String path) throws Exception {
    NodeList found = (NodeList) XPATH.evaluate(path, pom, XPathConstants.NODESET);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      texts.add(found.item(i).getTextContent());
    }
    return texts;
  }

  /** The folders of the modules whose poms do not say that they are for us only. */
  static List<String> published() throws Exception {
    List<String> published = new ArrayList<>();
    for (String folder : texts(pom("."), "/project/modules/module")) {
      if (texts(pom(folder), "/project/properties/maven.deploy.skip").isEmpty()) {
        published.add(folder);
      }
    }
    return published;
  }

  @Test
  void billOfMaterialsNamesEveryModuleThatIsPublished() throws Exception {
    List<String> managed = new ArrayList<>(List.of("windhover-bom"));
    managed.addAll(
        texts(pom("bom"), "/project/dependencyManagement/dependencies/dependency/artifactId"));

    assertThat(managed)
        .isEqualTo(published().stream().map(folder -> "windhover-" + folder).toList());
  }

  @ParameterizedTest
  @MethodSource("published")
  void everyPomHasANameAndADescription(String folder) throws Exception {
    assertThat(texts(pom(folder), "/project/name")).hasSize(1);
    assertThat(texts(pom(folder), "/project/description")).hasSize(1);
  }

  /** The other poms inherit it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "url",
        "licenses/license/name",
        "licenses/license/url",
        "developers/developer/name",
        "developers/developer/url",
        "scm/connection",
        "scm/url"
      })
  void billOfMaterialsSaysWhatMavenCentralAsksFor(String path) throws Exception {
    assertThat(texts(pom("bom"), "/project/" + path)).hasSize(1);
  }
}
