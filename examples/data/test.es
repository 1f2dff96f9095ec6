Mi hermano quiere beber té con la chica en la ciudad el próximo mes.
El médico bebe leche con la maestra bajo el árbol todos los días.
El granjero escribió un cuento en casa anoche.
Todos los domingos el médico escucha canciones antiguas con la chica en el jardín.
La semana pasada el cocinero reparó el barco con mis padres en la playa.
El granjero lavará el coche con mi abuela en casa pasado mañana.
El médico reparó el barco con mi abuela en la playa el año pasado.
Pasado mañana nuestros vecinos quieren leer el periódico en el jardín.
Los niños vieron una película con los turistas en el pueblo anteayer.
Mi hermana quiere beber té con la maestra en la ciudad mañana.
Mis padres cocinaron sopa con las mujeres en la cocina la semana pasada.
Todos los domingos la chica aprende inglés en la ciudad.
Los turistas aprenderán chino con mi hija en la ciudad pasado mañana.
La próxima semana la chica quiere cantar una canción con nuestros vecinos en casa.
Mis padres buscan la llave con mi hija en casa todos los domingos.
Las mujeres jugarán al fútbol en la escuela mañana por la mañana.
Mi hija escucha canciones antiguas con el médico en el hotel todas las noches.
Mi hermano leyó una carta con mi abuela en la escuela ayer.
El estudiante dibujó una casa en la escuela anoche.
Mis amigos bebieron té con el granjero en la estación ayer.
Mis amigos escribirán una carta con mi abuela en el jardín pasado mañana.
Mi hija quiere reparar la radio con el granjero junto al río mañana.
Nuestros vecinos cocinan pescado con el estudiante en el pueblo todas las noches.
La chica jugará al fútbol con las mujeres en la escuela la próxima semana.
La chica buscará la bicicleta en casa la próxima semana.
Mis amigos quieren escribir un cuento en casa mañana por la mañana.
Mi abuela vio una película con nuestros vecinos en casa anoche.
Todos los días el granjero canta canciones antiguas con el médico en el pueblo.
Los niños tomarán fotos con las mujeres junto al río la próxima semana.
Los niños venden fruta con mi hermano en el pueblo todos los domingos.
